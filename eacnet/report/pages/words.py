"""What a report says in words: for a reader who reads nothing else."""

from collections.abc import Sequence
from typing import Any

from eacnet.config.repeat import settings
from eacnet.provenance import has_commit
from eacnet.report.results import Results
from eacnet.report.tables.ablation import FEW_SEEDS
from eacnet.report.tables.columns import (
    CLAIMED,
    NO_VERDICT,
    REFERENCES,
    SCORES,
    compared,
    level,
    named,
    own,
    reading,
    verdict,
)
from eacnet.report.tables.table import gain_text, number
from eacnet.report.tables.text import TIMES

CONTROLS = ("none", "point", "local")
ATTENTIONS = ("pooled", "full")


def frames_are(results: Results) -> str:
    """Say of which size the scored frames are, or of which sizes."""
    part = results.data.get("splits", {}).get(results.split, {})
    if size := results.size or part.get("size"):
        return f"{_size(size)} pixels"
    if sizes := part.get("sizes"):
        ends = " to ".join(_size(sizes[end]) for end in ("smallest", "largest"))
        return f"{sizes['different']} sizes, {ends} pixels"
    return "of a size that is not recorded"


def title(results: Results) -> str:
    """Return the heading of a report."""
    return f"EACNet on {results.about.title}: {_network(results.training)}"


def summary(results: Results) -> list[str]:
    """Say in plain text what was done, what came out, and how much of it calibration explains."""
    evaluation = results.evaluation
    said = [
        f"The network ({_network(results.training)}) {_history(results)} scored on the"
        f" {evaluation['frames']:,} frames of split {results.split} ({frames_are(results)},"
        " one scale, no flipping).",
        f"The result is {score(results)} and {number(evaluation['pixel_accuracy'])} % pixel"
        " accuracy.",
    ]
    if results.split in results.training["trained_on"]:
        said.append("The network has seen these frames in training: this is no test.")
    return said + claim(results, results.network)


def claim(results: Results, network: tuple[str, str]) -> list[str]:
    """Say what the calibration of a network adds to nothing and to its control, and how sure."""
    group = own(results, network)
    pairs = compared(group) if group else {}
    found = {name: pairs[name] for name in REFERENCES if "miou" in pairs.get(name, {})}
    if not found:
        return []
    seeds, judged = len(group["seeds"]), {name: gains["miou"] for name, gains in found.items()}
    told = all(verdict(entry) != NO_VERDICT for entry in judged.values())
    said = [_gains(found, network[1]), _certainty(results, judged, seeds if told else 1)]
    if network[1] not in CONTROLS and judged.keys() == REFERENCES.keys() and told:
        said.insert(0, _conclusion(judged, network[1]))
    return said + _others(results, network)


def score(results: Results) -> str:
    """Say the main figure."""
    return f"{number(results.evaluation['miou'])} % mIoU"


def lost(code: dict[str, Any]) -> bool:
    """Say whether the commit of some code is not in this repository, as far as Git can tell."""
    return bool(code["commit"]) and has_commit(code["commit"]) is False


def how_to_repeat(results: Results) -> str:
    """Say where the command is to be run."""
    if lost(results.training["code"]):
        return (
            "The commit of the training is not in this repository. The same settings, for today's"
            " code:"
        )
    return (
        "To repeat it, check out the commit and run this; where params.yaml says the same already,"
        " `dvc repro` is enough:"
    )


def command(results: Results) -> str:
    """Return the command that repeats the experiment, a setting a line."""
    cells = [(*named(group), seed) for group in results.groups for seed in group["seeds"]]
    chosen = settings(results.data["dataset"], results.variant, results.training, cells)
    return " \\\n  ".join(["dvc exp run", *(f"-S {setting}" for setting in chosen)])


def _gains(found: dict[str, dict[str, Any]], calibration: str) -> str:
    """Say what a calibration gains over each reference in the scores of the claim."""
    said = []
    for reference, gains in found.items():
        entries = {SCORES[name]: gains[name] for name in CLAIMED if name in gains}
        figures = ", ".join(
            f"{heading} by {gain_text(entry)} ({_ends(entry['joint'] or entry['images'])})"
            for heading, entry in entries.items()
        )
        called = [name for name, entry in entries.items() if verdict(entry) == "significant"]
        if verdict(gains["miou"]) != NO_VERDICT:
            figures += f"; significant: {', '.join(called) or 'none'}"
        changes = f"calibration {calibration} changes " if not said else ""
        said.append(f"Against {REFERENCES[reference]}, {changes}{figures}.")
    return " ".join(said)


def _certainty(results: Results, gains: dict[str, Any], seeds: int) -> str:
    """Say what the figures of `_gains` are over, and how little would have been seen."""
    if seeds == 1:
        return (
            f"One training of each gives no verdict: the {level(results)} intervals over the"
            " images, in brackets, do not tell how much of a difference is chance of the training."
        )
    least = " and of ".join(
        f"{number(entry['detectable'])} against {REFERENCES[name]}" for name, entry in gains.items()
    )
    return (
        f"(Percentage points, mean ± standard deviation over {seeds} seeds, in brackets"
        f" {level(results)} intervals over seeds and images together; significance after Holm's"
        f" correction. A gain in mIoU of {least} would most likely have been called."
        + (f" {seeds} seeds are a rough guide.)" if seeds < FEW_SEEDS else ")")
    )


def _others(results: Results, network: tuple[str, str]) -> list[str]:
    """Say what the other calibrations of a backbone add to the control, if they are judged."""
    gains = {
        group["calibration"]: compared(group).get("point", {}).get("miou")
        for group in results.groups
        if group["backbone"] == network[0] and named(group) != network
    }
    told = [
        f"{name} by {gain_text(entry)} ({_ends(entry['joint'])}; {verdict(entry)})"
        for name, entry in gains.items()
        if entry and verdict(entry) != NO_VERDICT
    ]
    if not told:
        return []
    return [f"Of the other calibrations, against {REFERENCES['point']}, {', '.join(told)} in mIoU."]


def _conclusion(gains: dict[str, Any], calibration: str) -> str:
    """Say what the gains in mIoU over nothing and over the control tell together."""
    what = "Attention" if calibration in ATTENTIONS else f"Calibration {calibration}"
    called = {
        name: verdict(entry) == "significant" and (1 if entry["mean"] > 0 else -1)
        for name, entry in gains.items()
    }
    if called == {"none": 1, "point": 1}:
        return f"{what} adds to the scores, and more than re-weighting the classes does."
    if called == {"none": 1, "point": -1}:
        return f"{what} adds to the scores, but less than re-weighting the classes does."
    if called["none"] == -1:
        return f"{what} makes the scores worse."
    if called["none"] == 1:
        return (
            f"Something is added to the scores, but that {_lower(what)} adds more than re-weighting"
            " the classes does is not shown."
        )
    return f"That {_lower(what)} adds anything to the scores is not shown."


def _lower(what: str) -> str:
    return what[0].lower() + what[1:]


def _history(results: Results) -> str:
    """Say what became of the network before it was scored: "was ..., ..."."""
    data, training = results.data, results.training
    recipe, splits = training["recipe"], training["trained_on"]
    name, protocol = results.about.title, data.get("protocol", "")
    if not splits:
        start = f"was taken as it is from {_start(training)}, not trained here"
        return f"{start}. On {name} ({protocol}) it was"
    frames = sum(data["splits"][split]["frames"] for split in splits)
    how = "was trained"
    if training.get("init"):
        how = f"was trained on from {_start(training)}"
        if reading(training) == "frozen":
            how = f"adds to {_start(training)} a calibration, which alone was trained"
    return (
        f"{how} on {frames:,} frames of {name} (split{'s' if len(splits) > 1 else ''}"
        f" {' and '.join(splits)}; {protocol}) for {recipe['epochs']:,} epochs in batches"
        f" of {recipe['batch']} crops of {_size(recipe['crop'])} pixels, with seed"
        f" {training['seed']}. The weights of the last epoch were"
    )


def _start(training: dict[str, Any]) -> str:
    start = training["init"]
    return f"{start['path']} (SHA-256 {start['sha256'][:12]})"


def _network(training: dict[str, Any]) -> str:
    calibration = training["calibration"]
    how = "no calibration" if calibration == "none" else f"calibration {calibration}"
    return f"backbone {training['backbone']}, {how}"


def _ends(interval: Sequence[float]) -> str:
    return " to ".join(number(end, signed=True) for end in interval)


def _size(size: Sequence[int]) -> str:
    return f" {TIMES} ".join(map(str, size))
