"""Columns that tables share, from the entries of ablation.json, and how they are spoken of."""

from collections.abc import Sequence
from typing import Any

from eacnet.evaluation import scores
from eacnet.report.results import Results

Entry = dict[str, Any] | None
Columns = dict[str, list[Any]]
# Name of a score in the result files -> its heading, in the order of every table. One of each class
# is a table by class there.
SCORES = {score.name: score.heading for score in scores.SCORES}
# The scores that the claim is about: over all, and near edges.
CLAIMED = ("miou", "band_miou_5", "boundary_f1")
# What a calibration is held against: nothing, and what looks nowhere.
REFERENCES = {
    "none": "the same backbone without it",
    "point": "a 1x1 convolution of the scores in its place",
}
MARKS = "Best in bold, second best underlined; a missing value is a dash."
NO_VERDICT = "no verdict: one training"
DECODER = "published decoder"


def spread(heading: str, entries: Sequence[Entry]) -> Columns:
    """Return means and, where there are any, standard deviations over the seeds."""
    entries = [entry or {} for entry in entries]
    columns = {heading: [entry.get("mean") for entry in entries]}
    if any(entry.get("std") is not None for entry in entries):
        columns[f"{heading} std"] = [entry.get("std") for entry in entries]
    return columns


def interval(heading: str, entries: Sequence[Entry], key: str) -> Columns:
    """Return both ends of an interval; no column where no entry has it."""
    ends = [(entry or {}).get(key) or (None, None) for entry in entries]
    if all(low is None for low, _ in ends):
        return {}
    return {f"{heading} low": [low for low, _ in ends], f"{heading} high": [e for _, e in ends]}


def gained(heading: str, entries: Sequence[Entry]) -> Columns:
    """Return gains, their deviation over seeds and the widest interval that they have."""
    widest = [entry and (entry.get("joint") or entry.get("images")) for entry in entries]
    return spread(heading, entries) | interval(
        heading, [{"widest": ends} for ends in widest], "widest"
    )


def verdict(entry: Entry) -> str | None:
    """Say whether a difference is significant; one training tells nothing, whatever it gave."""
    if entry is None:
        return None
    if entry.get("seeds") is None or entry.get("significant") is None:
        return NO_VERDICT
    return "significant" if entry["significant"] else "not significant"


def compared(group: dict[str, Any], of_classes: bool = False) -> dict[str, dict[str, Entry]]:
    """Return what a network is compared with -> its gain by score, or in IoU by class."""
    names = {"decoder": DECODER}
    pairs = {names.get(name, name): gains for name, gains in group.get("gains", {}).items()}
    if of_classes:
        pairs = {reference: gains.get("class_iou") or {} for reference, gains in pairs.items()}
    scored = {
        reference: {name: entry for name, entry in gains.items() if entry and "mean" in entry}
        for reference, gains in pairs.items()
    }
    return {reference: gains for reference, gains in scored.items() if gains}


def own(results: Results, network: tuple[str, str]) -> dict[str, Any]:
    """Return the entry of a network in the ablation, empty where it has none."""
    found = (group for group in results.groups if named(group) == network)
    return next(found, {})


def named(group: dict[str, Any]) -> tuple[str, str]:
    """Return what identifies a network of the ablation: backbone and calibration."""
    return group["backbone"], group["calibration"]


def network_name(backbone: str, calibration: str) -> str:
    """Name a network in words."""
    return f"{backbone}, {'no calibration' if calibration == 'none' else calibration}"


def reading(training: dict[str, Any]) -> str:
    """Name how the cells of an ablation were trained, see docs/ablations.md."""
    if training["recipe"].get("trains") == "calibration":
        return "frozen"
    return "continued" if training.get("init") else "from scratch"


def scaled(value: float | None, unit: float) -> float | None:
    """Return a figure in another unit, None where there is none."""
    return None if value is None else value / unit


def over_seeds(results: Results) -> str:
    """Say what a spread is taken over."""
    several = any(len(group["seeds"]) > 1 for group in results.groups)
    return "mean ± standard deviation over the seeds" if several else "one seed, so no spread"


def bootstrap(results: Results) -> str:
    """Say what the intervals of `gained` are over; nothing where there are none."""
    how = results.ablation.get("bootstrap")
    if not how:
        return ""
    counts = {len(group["seeds"]) for group in results.groups}
    images = "over the images" if max(counts) == 1 else "over seeds and images together"
    if min(counts) == 1 < max(counts):
        images += ", over the images alone where there is one seed"
    return (
        f" In brackets its {level(results)} interval {images}; images by a paired bootstrap,"
        f" {how['resamples']:,} resamples of the {results.ablation['frames']} frames, the same for"
        " all networks."
    )


def level(results: Results) -> str:
    """Name the level of the intervals."""
    return f"{100 * results.ablation.get('bootstrap', {}).get('level', 0.95):g} %"
