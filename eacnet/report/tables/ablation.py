"""The ablation: networks that differ in backbone, calibration and seed alone, side by side."""

from collections.abc import Sequence
from typing import Any

from eacnet.report.tables.cells import MARKS, gained, interval_said, over_seeds, scaled, spread
from eacnet.report.tables.gains import class_differences, differences, over_decoder, verdict, wins
from eacnet.report.tables.table import TIMES, Cell, Number, Table, mark_within
from eacnet.report.tables.timing import Timing, representative


def ablation(summary: dict[str, Any]) -> str:
    """Return the section of the ablation: its networks, their differences, by class and by band.

    Args:
        summary: ablation.json.
    """
    details = [over_decoder(summary)]
    if any(group["gain"] for group in summary["groups"]):
        details = [differences(summary), *details, class_differences(summary), wins(summary)]
    parts = [ablation_table(summary).markdown()]
    parts += [f"#{table.markdown()}" for table in details if table]
    return "\n".join(parts)


def ablation_table(
    summary: dict[str, Any], timed: Sequence[Timing] = (), size: Sequence[int] = ()
) -> Table:
    """Return the ablation: scores, gain, edges, size and speed, with and without calibration.

    Args:
        summary: ablation.json.
        timed: all timings; without any the table tells no speed.
        size: height and width in pixels of the scored frames.
    """
    groups = summary["groups"]
    backbones = [group["backbone"] for group in groups]

    def score(name: str) -> list[Number]:
        return mark_within([spread(group["scores"].get(name)) for group in groups], backbones)

    def gain(name: str) -> list[Number]:
        return [gained((group["gain"] or {}).get(name)) for group in groups]

    macs = [group.get("macs") or {} for group in groups]
    columns: dict[str, Sequence[Cell]] = {
        "backbone": backbones,
        "calibration": [group["calibration"] for group in groups],
        "seeds": [Number(len(group["seeds"]), decimals=0) for group in groups],
        "mIoU": score("miou"),
        "gain in mIoU": gain("miou"),
        "verdict": [verdict((group["gain"] or {}).get("miou")) for group in groups],
        "boundary F1": score("boundary_f1"),
        "gain in boundary F1": gain("boundary_f1"),
        **{f"mIoU within {width} px": score(f"band_miou_{width}") for width in (3, 5, 9)},
        "pixel accuracy": score("pixel_accuracy"),
        "parameters (M)": [Number(scaled(group.get("parameters"), 1e6), decimals=3)
                           for group in groups],
        "MACs (G)": [Number(scaled(entry.get("total"), 1e9)) for entry in macs],
        "of these attention (G)": [Number(scaled(entry.get("attention"), 1e9), decimals=3)
                                   for entry in macs],
    }  # fmt: skip
    chosen = [representative(timed, g["backbone"], g["calibration"], size) for g in groups]
    for device in dict.fromkeys(name for rows in chosen for name in rows):
        rates = [Number((rows.get(device) or {}).get("fps"), decimals=1) for rows in chosen]
        columns[f"FPS on {device}"] = mark_within(rates, backbones)
    note = (
        f"Scores in percent on the {summary['frames']} frames of split {summary['split']},"
        f" {over_seeds(groups)}. Gain: the difference to the same backbone and seed without"
        f" calibration, in percentage points{interval_said(summary)}. {_counted(macs)}"
        f"{_timed(chosen)}Ranked within a backbone. {MARKS}"
    )
    rows = list(zip(*columns.values(), strict=True))
    caption = "Ablation: with and without calibration"
    return Table("ablation", caption, note, list(columns), rows).without_empty()


def _counted(macs: Sequence[dict[str, Any]]) -> str:
    counted = next((entry for entry in macs if entry.get("height")), None)
    if not counted:
        return ""
    return f"MACs of one image of {counted['height']} {TIMES} {counted['width']}. "


def _timed(chosen: Sequence[dict[str, Timing]]) -> str:
    rows = [row for devices in chosen for row in devices.values()]
    if not rows:
        return ""
    sizes = sorted({(row["height"], row["width"]) for row in rows})
    said = " or ".join(f"{height} {TIMES} {width}" for height, width in sizes)
    return (
        f"FPS: one image of {said} at a time, from the 8-bit image to the label map, fp32, the"
        " fastest runtime. "
    )
