"""What a report says in words: for a reader who reads nothing else."""

from collections.abc import Sequence
from typing import Any

from eacnet.report.results import Results
from eacnet.report.tables.ablation import FEW_SEEDS
from eacnet.report.tables.columns import NO_VERDICT, compared, level, own, verdict
from eacnet.report.tables.table import gain_text, number
from eacnet.report.tables.text import TIMES

REFERENCES = {
    "none": "the same backbone trained without it",
    "point": "a 1x1 convolution of the scores in its place",
}


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
    group = own(results, results.network)
    pairs = compared(group) if group else {}
    for reference, words in REFERENCES.items():
        if entry := pairs.get(reference, {}).get("miou"):
            said.append(_gain(results, entry, words, len(group["seeds"])))
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


def _gain(results: Results, entry: dict[str, Any], reference: str, seeds: int) -> str:
    """Say what a calibration gains over a reference, and how sure that is."""
    claim = (
        f"In the ablation, calibration {results.network[1]} changes mIoU by {gain_text(entry)}"
        f" percentage points against {reference}"
    )
    images = f"{_ends(entry['images'])} over the images"
    judged = verdict(entry)
    if judged == NO_VERDICT:
        return (
            f"{claim}: one training of each, which gives no verdict. The {level(results)} interval,"
            f" {images}, does not tell how much of the difference is chance of the training."
        )
    claim += f" (mean ± standard deviation of the differences over {seeds} seeds)."
    if entry.get("joint"):
        corrected = "corrected for the number of gains (Holm), " if "holm" in entry else ""
        claim += (
            f" The {level(results)} interval over seeds and images together is"
            f" {_ends(entry['joint'])}; {corrected}the difference is {judged}."
        )
        if entry.get("detectable") is not None:
            claim += (
                f" The smallest gain that would have been called is {number(entry['detectable'])}."
            )
    else:
        claim += (
            f" The {level(results)} intervals are {images} and {_ends(entry['seeds'])} over the"
            f" seeds, so the difference is {judged}."
        )
    return claim + (f" {seeds} seeds are a rough guide." if seeds < FEW_SEEDS else "")


def _history(results: Results) -> str:
    """Say what became of the network before it was scored: "was ..., ..."."""
    data, training = results.data, results.training
    recipe, splits = training["recipe"], training["trained_on"]
    name, protocol = results.about.title, data.get("protocol", "")
    if not splits:
        start = training["init"]
        return (
            f"was taken as it is from {start['path']} (SHA-256 {start['sha256'][:12]}), not trained"
            f" here. On {name} ({protocol}) it was"
        )
    frames = sum(data["splits"][split]["frames"] for split in splits)
    return (
        f"was trained on {frames:,} frames of {name} (split{'s' if len(splits) > 1 else ''}"
        f" {' and '.join(splits)}; {protocol}) for {recipe['epochs']:,} epochs in batches"
        f" of {recipe['batch']} crops of {_size(recipe['crop'])} pixels, with seed"
        f" {training['seed']}. The weights of the last epoch were"
    )


def _network(training: dict[str, Any]) -> str:
    calibration = training["calibration"]
    how = "no calibration" if calibration == "none" else f"calibration {calibration}"
    return f"backbone {training['backbone']}, {how}"


def _ends(interval: Sequence[float]) -> str:
    return " to ".join(number(end, signed=True) for end in interval)


def _size(size: Sequence[int]) -> str:
    return f" {TIMES} ".join(map(str, size))
