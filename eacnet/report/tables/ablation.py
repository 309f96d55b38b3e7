"""The ablation: networks that differ in backbone, calibration and seed alone, side by side."""

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from eacnet.report.results import Results
from eacnet.report.tables.columns import (
    DECODER,
    MARKS,
    SCORES,
    Columns,
    bootstrap,
    compared,
    gained,
    interval,
    level,
    named,
    over_seeds,
    scaled,
    spread,
    verdict,
)
from eacnet.report.tables.rank import down
from eacnet.report.tables.speed import Timing, representative
from eacnet.report.tables.table import as_frame, table
from eacnet.report.tables.text import TIMES

# From fewer runs than this, a confidence interval is a rough guide.
FEW_SEEDS = 5


def _ablation_note(results: Results) -> str:
    macs = [group["macs"] for group in results.groups if group.get("macs")]
    counted = macs and f" MACs of one image of {macs[0]['height']} {TIMES} {macs[0]['width']}."
    sizes = {
        row["device"]: f"{row['height']} {TIMES} {row['width']}"
        for rows in _timed(results)
        for row in rows.values()
    }
    where = ", ".join(f"{size} on {device}" for device, size in sizes.items())
    where = where if len(set(sizes.values())) > 1 else "".join(set(sizes.values()))
    timed = (
        f" FPS: one image at a time ({where}), from the 8-bit image to the label map, fp32, the"
        " fastest runtime."
    )
    return (
        f"Scores in percent on the {results.ablation['frames']} frames of split"
        f" {results.ablation['split']}, {over_seeds(results)}. Gain: the difference to the same"
        f" backbone and seed without calibration, in percentage points.{bootstrap(results)}"
        f"{counted or ''}{timed if sizes else ''} Ranked within a backbone. {MARKS}"
    )


@table(
    "ablation",
    "Ablation: with and without calibration",
    _ablation_note,
    marks=down(f"{'|'.join(map(re.escape, SCORES.values()))}|FPS on .*", "backbone"),
)
def ablation(results: Results) -> pd.DataFrame:
    """One row a network: scores, gain, size and speed, with and without calibration."""
    groups = results.groups
    columns: Columns = {
        "backbone": [group["backbone"] for group in groups],
        "calibration": [group["calibration"] for group in groups],
        "seeds": [len(group["seeds"]) for group in groups],
    }
    for name, heading in SCORES.items():
        columns |= spread(heading, [group["scores"].get(name) for group in groups])
        if name == "miou":
            gains = [compared(group).get("none", {}).get(name) for group in groups]
            columns |= gained(f"gain in {heading}", gains)
            columns["verdict"] = list(map(verdict, gains))
    macs = [group.get("macs") or {} for group in groups]
    columns["parameters (M)"] = [scaled(group.get("parameters"), 1e6) for group in groups]
    columns["MACs (G)"] = [scaled(entry.get("total"), 1e9) for entry in macs]
    columns["of these attention (G)"] = [scaled(entry.get("attention"), 1e9) for entry in macs]
    chosen = _timed(results)
    for device in dict.fromkeys(name for rows in chosen for name in rows):
        columns[f"FPS on {device}"] = [rows.get(device, {}).get("fps") for rows in chosen]
    return as_frame(columns)


def _timed(results: Results) -> list[dict[str, Timing]]:
    """Return the timing of each network on each device, all of a device at the same size.

    At that of the frames where any network was timed at it, else where most were.
    """

    def chosen(rows: Sequence[Timing]) -> list[dict[str, Timing]]:
        return [representative(rows, *named(group), results.size) for group in results.groups]

    sizes: dict[str, Counter[tuple[int, int]]] = {}
    for rows in chosen(results.timed):
        for device, row in rows.items():
            sizes.setdefault(device, Counter())[_size(row)] += 1
    own = tuple(results.size)
    at = {
        name: own if own in found else found.most_common(1)[0][0] for name, found in sizes.items()
    }
    return chosen([row for row in results.timed if _size(row) == at.get(row["device"])])


def _size(row: Timing) -> tuple[int, int]:
    return row["height"], row["width"]


def _differences_note(results: Results) -> str:
    note = (
        "The difference to the same backbone and seed with another calibration, named under"
        f" against, in percentage points.{bootstrap(results)} Interval over seeds: of"
        f" {level(results)}, Student's t over the paired differences of the seeds. One training of"
        " each gives no verdict, whatever its images say: it does not tell how much of a difference"
        " is chance of the training."
    )
    entries = [
        entry
        for group in results.groups
        for gains in compared(group).values()
        for entry in gains.values()
    ]
    if any(entry.get("joint") for entry in entries):
        note += (
            " Significant: p of the interval in brackets, corrected for all gains in that score"
            " (Holm, 1979), is at most 0.05. Detectable: the smallest gain that most experiments"
            " with so many seeds and images would have called, were it the only one."
        )
    if any(DECODER in compared(group) for group in results.groups):
        note += (
            f" Against {DECODER}: the same backbone with its published decoder instead of"
            " upsampling, and without calibration."
        )
    seeds = max(len(group["seeds"]) for group in results.groups)
    if 1 < seeds < FEW_SEEDS:
        note += f" With {seeds} seeds, what is over seeds is wide by nature."
    return note


@table("differences", "What calibration gains", _differences_note)
def differences(results: Results) -> pd.DataFrame:
    """One row a network, reference and score: the gain, how sure it is, what would be seen."""
    rows = [
        (*named(group), reference, heading, gains[name])
        for group in results.groups
        for reference, gains in compared(group).items()
        for name, heading in SCORES.items()
        if gains.get(name)
    ]
    entries = [row[-1] for row in rows]
    names = ("backbone", "calibration", "against", "score")
    columns: Columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    columns |= gained("difference", entries)
    columns |= interval("interval over seeds", entries, "seeds")
    columns |= interval("interval over images", entries, "images")
    columns["p (Holm)"] = [entry.get("holm") for entry in entries]
    columns["detectable"] = [entry.get("detectable") for entry in entries]
    columns["verdict"] = list(map(verdict, entries))
    return as_frame(columns)


@table(
    "class_differences",
    "What calibration gains, by class",
    "The difference in IoU, in percentage points, with intervals and verdicts as in the table of"
    " gains; the p-values behind the verdicts are corrected for all classes of all pairs. Classes"
    " that are neither in the split nor predicted are left out.",
)
def class_differences(results: Results) -> pd.DataFrame:
    """One row a class: the gain of every network over every reference."""
    found = {
        f"{group['backbone']}, {group['calibration']} against {reference}": gains
        for group in results.groups
        for reference, gains in compared(group, of_classes=True).items()
    }
    names = list(dict.fromkeys(name for gains in found.values() for name in gains))
    columns: Columns = {"class": names}
    for pair, gains in found.items():
        entries = [gains.get(name) for name in names]
        columns |= gained(f"gain: {pair}", entries)
        columns[f"verdict: {pair}"] = list(map(verdict, entries))
    return as_frame(columns)


@table(
    "wins",
    "Images won and lost",
    "Images on which more (won), fewer (lost) or as many (tied) pixels are right with calibration"
    " as without it, by distance from an edge of the ground truth; all seeds taken together.",
)
def wins(results: Results) -> pd.DataFrame:
    """One row a network and band of distances from an edge."""
    rows = [
        {
            "backbone": group["backbone"],
            "calibration": group["calibration"],
            "band": "elsewhere" if band == "outside" else f"within {band} px",
            **{outcome: counted[outcome] for outcome in ("won", "lost", "tied")},
        }
        for group in results.groups
        for band, counted in (group.get("bands") or {}).items()
    ]
    return pd.DataFrame(rows)
