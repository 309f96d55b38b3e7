"""The tables of a paper's experiments section, each from the result files and in one place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eacnet.files import write_text
from eacnet.reporting.breakdown import band_table, class_table, confusion_pairs
from eacnet.reporting.comparison import comparison
from eacnet.reporting.latex import latex
from eacnet.reporting.page import Results, Run
from eacnet.reporting.spreads import MARKS, gained, interval_said, over_seeds, scaled, spread
from eacnet.reporting.tables import (
    MISSING,
    TIMES,
    Cell,
    Number,
    Table,
    comma_separated,
    mark_within,
)
from eacnet.reporting.timing import Timing, representative, speed_table, timings


def tables(results: Results) -> list[Table]:
    """Return all tables of an experiment."""
    timed = timings(results.speed)
    return [
        ablation_table(results.ablation, timed, results.data["size"]),
        class_table(results.evaluation, results.ablation),
        band_table(results.evaluation, results.ablation),
        comparison(results.published, own_networks(results), timed, results.data, results.split),
        speed_table(timed),
    ]


def write_tables(made: Sequence[Table], results: Results, folder: Path) -> None:
    """Write each table in every format, and the confusion of all pairs of classes for `dvc plots`.

    Args:
        made: as `tables` returns them.
        results: what they tell of.
        folder: is created.
    """
    folder.mkdir()
    for table in made:
        write_text(folder / f"{table.name}.md", table.markdown())
        write_text(folder / f"{table.name}.tex", latex(table))
        write_text(folder / f"{table.name}.csv", comma_separated(table))
    write_text(folder / "confusion.csv", comma_separated(confusion_pairs(results.evaluation)))


def own_networks(results: Results) -> list[dict[str, Any]]:
    """Return what the comparison says of our networks: those of the ablation, else the main one."""
    groups = results.ablation["groups"]
    own = [
        {
            "backbone": group["backbone"],
            "calibration": group["calibration"],
            "seeds": group["seeds"],
            "miou": group["scores"]["miou"],
            "parameters": group.get("parameters"),
            **_origin(results.runs.get((group["backbone"], group["calibration"]), ())),
        }
        for group in groups
    ]
    training = results.training
    main = {name: training[name] for name in ("backbone", "calibration")}
    if main not in [{name: entry[name] for name in main} for entry in own]:
        miou = {"mean": results.evaluation["miou"], "std": None}
        origin = _origin([Run(training, results.evaluation["provenance"])])
        figures = {"seeds": [training["seed"]], "miou": miou, "parameters": None}
        own.append({**main, **figures, **origin})
    return own


def ablation_table(summary: dict[str, Any], timed: Sequence[Timing], size: Sequence[int]) -> Table:
    """Return the ablation: scores, gain, edges, size and speed, with and without calibration.

    Args:
        summary: ablation.json.
        timed: all timings.
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


def _origin(runs: Sequence[Run]) -> dict[str, str]:
    """Say what networks started from, and on which commits they were measured."""
    started = {
        (run.training.get("init") or {}).get("path")
        or ("ImageNet" if run.training.get("pretrained") else "none")
        for run in runs
    }
    return {
        "pretraining": ", ".join(sorted(started)) or MISSING,
        "source": _measured([run.scored["code"] for run in runs]),
    }


def _measured(states: Sequence[dict[str, Any]]) -> str:
    """Say that it was measured, and on which commits with their dates."""
    found = dict.fromkeys(
        state["commit"][:12] + (f" ({state['date']})" if state.get("date") else "")
        for state in states
        if state["commit"]
    )
    if not found:
        return "measured"
    return f"measured on commit{'s' if len(found) > 1 else ''} {', '.join(found)}"


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
