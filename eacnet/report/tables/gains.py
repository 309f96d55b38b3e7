"""What calibration gains over the same backbone without it, and how sure that is."""

from typing import Any

from eacnet.evaluation.counts import EFFECT_BAND
from eacnet.report.tables.cells import Spread, gained
from eacnet.report.tables.table import MISSING, Cell, Number, Table

# From fewer runs than this, a confidence interval is a rough guide.
FEW_SEEDS = 5
SCORES = {
    "mIoU": "miou",
    f"mIoU within {EFFECT_BAND} px": f"band_miou_{EFFECT_BAND}",
    "boundary F1": "boundary_f1",
    "pixel accuracy": "pixel_accuracy",
}

COLUMNS = ["backbone", "calibration", "score", "difference", "interval over seeds", "verdict"]


def differences(summary: dict[str, Any]) -> Table:
    """Return what calibration gains, with both of its intervals and whether it is significant."""
    how = summary["bootstrap"]
    level = f"{100 * how['level']:g} %"
    note = (
        "The difference to the same backbone and seed without calibration, in percentage points."
        f" In brackets its {level} interval over the images: a paired bootstrap,"
        f" {how['resamples']:,} resamples of the {summary['frames']} frames, the same for all"
        f" networks. Interval over seeds: {level}, Student's t over the paired differences of the"
        " seeds; one seed has none. Significant: neither interval holds 0."
    )
    several = [len(group["seeds"]) for group in summary["groups"]]
    if 1 < max(several) < FEW_SEEDS:
        note += f" With {max(several)} seeds the second one is wide by nature."
    return Table("differences", "What calibration gains", note, COLUMNS, _rows(summary, "gain"))


def over_decoder(summary: dict[str, Any]) -> Table | None:
    """Return what networks gain over their backbone's published decoder; None without such runs."""
    rows = _rows(summary, "over_decoder")
    note = (
        "The difference to the same backbone and seed with its published decoder (ERFNet's) instead"
        " of upsampling, in percentage points, with intervals and verdicts as above."
    )
    name, caption = "over_decoder", "Instead of a decoder"
    return Table(name, caption, note, COLUMNS, rows) if rows else None


def class_differences(summary: dict[str, Any]) -> Table:
    """Return the difference in IoU of every class for every network with calibration."""
    gains = _calibrated(summary, "class_gain")
    names = list(dict.fromkeys(name for group in gains.values() for name in group))
    columns = {
        f"{network}{part}": [cell(table.get(name)) for name in names]
        for network, table in gains.items()
        for part, cell in (("", gained), (": verdict", verdict))
    }
    note = (
        "The difference in IoU, with intervals and verdicts as above. Of so many classes, one in"
        " twenty would look significant by chance alone. Classes that the split lacks are left out."
    )
    rows = list(zip(names, *columns.values(), strict=True))
    return Table("class_differences", "By class", note, ["class", *columns], rows)


def wins(summary: dict[str, Any]) -> Table:
    """Return on how many images calibration wins and loses, by distance from the edges."""
    rows = [
        [
            network,
            "elsewhere" if band == "outside" else f"within {band} px",
            *(Number(counted[outcome], decimals=0) for outcome in ("won", "lost", "tied")),
        ]
        for network, bands in _calibrated(summary, "bands").items()
        for band, counted in bands.items()
    ]
    note = (
        "Images on which more (won), fewer (lost) or as many (tied) pixels are right with"
        " calibration as without it, by distance from an edge of the ground truth; all seeds"
        " taken together."
    )
    return Table("wins", "Images won and lost", note, ["network", "band", "won", "lost", "tied"],
                 rows)  # fmt: skip


def gain(summary: dict[str, Any], backbone: str, calibration: str) -> str:
    """Say in words what a calibration gains over none, and how sure that is; "" if it is unknown.

    Args:
        summary: ablation.json.
        backbone: as in the ablation.
        calibration: as in the ablation.
    """
    found = [
        group
        for group in summary["groups"]
        if (group["backbone"], group["calibration"]) == (backbone, calibration) and group["gain"]
    ]
    if not found:
        return ""
    entry, seeds = found[0]["gain"]["miou"], len(found[0]["seeds"])
    claim = (
        f"In the ablation, calibration {calibration} changes mIoU by"
        f" {Number(entry['mean'], entry['std'], signed=True)} percentage points against the same"
        " backbone trained without it"
    )
    level = f"{100 * summary['bootstrap']['level']:g} %"
    images = f"{_ends(entry['images'])} over the images"
    if entry["seeds"] is None:
        return (
            f"{claim}: one pair of runs with one seed. Its {level} interval, {images},"
            f" {'excludes' if entry['significant'] else 'holds'} zero, but does not tell how much"
            " of the difference is chance of the training."
        )
    caution = f" {seeds} seeds are a rough guide." if seeds < FEW_SEEDS else ""
    return (
        f"{claim} (mean ± standard deviation of the differences over {seeds} seeds). The {level}"
        f" intervals are {images} and {_ends(entry['seeds'])} over the seeds, so the difference is"
        f" {verdict(entry)}.{caution}"
    )


def verdict(entry: Spread) -> str:
    """Say whether a difference is significant."""
    if entry is None:
        return MISSING
    return "significant" if entry["significant"] else "not significant"


def _rows(summary: dict[str, Any], key: str) -> list[list[Cell]]:
    """Return a row for each network that is compared and each score."""
    return [
        [
            group["backbone"],
            group["calibration"],
            heading,
            gained(group[key][score]),
            _ends(group[key][score]["seeds"]),
            verdict(group[key][score]),
        ]
        for group in summary["groups"]
        if group.get(key)
        for heading, score in SCORES.items()
        if score in group[key]
    ]


def _calibrated(summary: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """Return one entry of every network that is compared with none, by the network's name."""
    return {
        f"{group['backbone']}, {group['calibration']}": group[key]
        for group in summary["groups"]
        if group[key]
    }


def _ends(interval: list[float] | None) -> str:
    if interval is None:
        return MISSING
    return " to ".join(str(Number(end, signed=True)) for end in interval)
