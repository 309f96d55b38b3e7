"""What a report says in words: for a reader who reads nothing else."""

from collections.abc import Sequence
from typing import Any

from eacnet.report.results import Results
from eacnet.report.tables.ablation import FEW_SEEDS
from eacnet.report.tables.columns import (
    CLAIMED,
    NO_VERDICT,
    REFERENCES,
    SCORES,
    compared,
    level,
    own,
    reading,
    verdict,
)
from eacnet.report.tables.table import gain_text, number
from eacnet.report.tables.text import TIMES

CONTROLS = ("none", "point", "local")


def title(results: Results) -> str:
    """Return the heading of a report."""
    return f"EACNet on {results.about.title}: {_network(results.training)}"


def summary(results: Results) -> list[str]:
    """Say in plain text what was done, what came out, and how much of it calibration explains."""
    evaluation = results.evaluation
    said = [
        f"The network ({_network(results.training)}) {_history(results)} scored on the"
        f" {evaluation['frames']:,} frames of split {results.split} ({_size(results.size)} pixels,"
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
    seeds = len(group.get("seeds", ()))
    said = [_gains(results, gains, network[1], name, seeds) for name, gains in found.items()]
    judged = {name: gains["miou"] for name, gains in found.items()}
    if network[1] not in CONTROLS and judged.keys() == REFERENCES.keys() and seeds > 1:
        said.append(_conclusion(judged))
    return said


def score(results: Results) -> str:
    """Say the main figure."""
    return f"{number(results.evaluation['miou'])} % mIoU"


def command(results: Results) -> str:
    """Return the command that repeats the experiment."""
    select = f"-S dataset={results.data['dataset']}"
    if results.variant:
        select += f" -S variant={results.variant}"
    return f"dvc exp run {select}"


def _gains(
    results: Results, gains: dict[str, Any], calibration: str, reference: str, seeds: int
) -> str:
    """Say what a calibration gains over a reference in the scores of the claim."""
    entries = {SCORES[name]: gains[name] for name in CLAIMED if name in gains}
    joint = all(entry.get("joint") for entry in entries.values())
    over = "joint" if joint else "images"
    figures = ", ".join(
        f"{heading} by {gain_text(entry)} ({_ends(entry[over])})"
        for heading, entry in entries.items()
    )
    said = (
        f"In the ablation, calibration {calibration} changes {figures} percentage points against"
        f" {REFERENCES[reference]}"
    )
    if verdict(gains["miou"]) == NO_VERDICT:
        return (
            f"{said}: one training of each, which gives no verdict. The {level(results)} intervals"
            " over the images, in brackets, do not tell how much of a difference is chance of the"
            " training."
        )
    where = "over seeds and images together" if joint else "over the images"
    called = [name for name, entry in entries.items() if verdict(entry) == "significant"]
    holm = ", corrected for the number of gains (Holm)" if "holm" in gains["miou"] else ""
    said += (
        f" (mean ± standard deviation of the differences over {seeds} seeds, in brackets"
        f" {level(results)} intervals {where}). Significant{holm}: {', '.join(called) or 'none'}."
    )
    if gains["miou"].get("detectable") is not None:
        least = number(gains["miou"]["detectable"])
        said += f" The smallest gain in mIoU that would most likely have been called is {least}."
    return said + (f" {seeds} seeds are a rough guide." if seeds < FEW_SEEDS else "")


def _conclusion(gains: dict[str, Any]) -> str:
    """Say what the gains in mIoU over nothing and over the control tell together."""
    called = {
        name: verdict(entry) == "significant" and (1 if entry["mean"] > 0 else -1)
        for name, entry in gains.items()
    }
    if called == {"none": 1, "point": 1}:
        return "So attention adds to the scores, and more than re-weighting the classes does."
    if called == {"none": 1, "point": -1}:
        return "So attention adds to the scores, but less than re-weighting the classes does."
    if called["none"] == 1:
        return (
            "So something is added to the scores, but that attention adds more than re-weighting"
            " the classes does is not shown."
        )
    return "So that attention adds anything to the scores is not shown."


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
