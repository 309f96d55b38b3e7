"""Cells and words that all tables share: means with their spread, gains with their interval."""

from collections.abc import Sequence
from typing import Any

from eacnet.report.tables.table import MISSING, Number

Group = dict[str, Any]
Spread = dict[str, Any] | None
MARKS = "Best in bold, second best underlined; a missing value is a dash."


def spread(entry: Spread) -> Number:
    """Return mean and standard deviation as a cell."""
    return Number(None) if entry is None else Number(entry["mean"], entry["std"])


def gained(entry: Spread) -> Number:
    """Return a gain as a cell: mean, standard deviation, and the interval over images if known."""
    if entry is None:
        return Number(None)
    ends = entry.get("images")
    return Number(entry["mean"], entry["std"], ends and tuple(ends), signed=True)


def calibration_name(entry: dict[str, Any]) -> str:
    """Return in words which calibration a network has."""
    calibration = entry.get("calibration", MISSING)
    return "no calibration" if calibration == "none" else calibration


def scaled(value: float | None, unit: float) -> float | None:
    """Return a figure in another unit, None where there is none."""
    return None if value is None else value / unit


def over_seeds(groups: Sequence[Group]) -> str:
    """Say what a spread is taken over."""
    several = any(len(group["seeds"]) > 1 for group in groups)
    return "mean ± standard deviation over the seeds" if several else "one seed, so no spread"


def interval_said(summary: dict[str, Any]) -> str:
    """Say what the brackets behind a gain are, where it has any."""
    how = summary.get("bootstrap")
    if not how:
        return ""
    return (
        f", with its {100 * how['level']:g} % interval in brackets (paired bootstrap over the"
        f" images, {how['resamples']:,} resamples)"
    )
