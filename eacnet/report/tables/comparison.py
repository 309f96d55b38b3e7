"""The comparison with published methods: their figures as they state them, ours as measured."""

from typing import Any

import pandas as pd

from eacnet.report.results import Results, Run
from eacnet.report.tables.columns import named, network_name, scaled
from eacnet.report.tables.rank import down
from eacnet.report.tables.speed import form_name, representative
from eacnet.report.tables.table import as_frame, table
from eacnet.report.tables.text import TIMES

COLUMNS = (
    *("method", "dataset", "split", "image", "mIoU (%)", "mIoU (%) std", "mIoU (%) digits"),
    *("parameters (M)", "parameters (M) digits", "pretraining", "FPS", "FPS digits"),
    *("device", "timed", "source"),
)
FIGURES = {"mIoU (%)": "miou_percent", "parameters (M)": "params_millions", "FPS": "fps"}
Row = dict[str, Any]


def _note(results: Results) -> str:
    like, title = results.about.like, results.about.title
    note = (
        "Published figures are quoted from the source that is named, ours are marked as measured."
        " Best mIoU in bold, second underlined, among rows of one dataset and split. Frame rates"
        " are not ranked: they were taken on different devices and in different scopes, and few"
        " sources say which. Ours: the fastest fp32 runtime on that device, one image at a time,"
        " from the 8-bit image to the label map."
    )
    if like:
        note += (
            f" Scores on {title} and on {like} do not compare; nobody has published any on {title}."
        )
    return note


def _within_a_task(frame: pd.DataFrame) -> pd.DataFrame:
    """Rank mIoU among rows of one dataset and split."""
    task = frame["dataset"] + " " + frame["split"].astype(str)
    return down(r"mIoU \(%\)", "task")(frame.assign(task=task))


@table("comparison", "Comparison with published methods", _note, marks=_within_a_task)
def comparison(results: Results) -> pd.DataFrame:
    """One row a published method, then one a network and device of ours."""
    dataset = results.data["dataset"]
    like = results.about.like or dataset
    rows = [_published(row) for row in results.published if row["dataset"] == like]
    for group in results.groups:
        rows += _measured(results, group, results.runs[named(group)])
    if results.network not in map(named, results.groups):
        training, miou = results.training, {"mean": results.evaluation["miou"], "std": None}
        main = {**training, "seeds": [training["seed"]], "scores": {"miou": miou}}
        rows += _measured(results, main, [results.main])
    return as_frame({name: [row.get(name) for row in rows] for name in COLUMNS})


def _published(row: dict[str, str]) -> Row:
    height, width = row["input_height"], row["input_width"]
    return {
        "method": row["method"],
        "dataset": row["dataset"],
        "split": row["split"] or None,
        "image": f"{height} {TIMES} {width}" if height and width else None,
        **{heading: float(row[key]) if row[key] else None for heading, key in FIGURES.items()},
        **{
            f"{heading} digits": len(row[key].partition(".")[2]) if row[key] else None
            for heading, key in FIGURES.items()
        },
        "pretraining": row["pretraining"] or None,
        "device": row["device"] or None,
        "source": row["source"],
    }


def _measured(results: Results, group: dict[str, Any], runs: list[Run]) -> list[Row]:
    """Return a row for each device that a network was timed on, or one without a frame rate."""
    size, seeds, miou = results.size, len(group["seeds"]), group["scores"]["miou"]
    pretraining, source = _origin(runs)
    common = {
        "method": f"ours: {network_name(*named(group))}",
        "dataset": results.data["dataset"],
        "split": results.split,
        "image": f"{size[0]} {TIMES} {size[1]}" if size else None,
        "mIoU (%)": miou["mean"],
        "mIoU (%) std": miou["std"],
        "parameters (M)": scaled(group.get("parameters"), 1e6),
        "parameters (M) digits": 2,
        "pretraining": pretraining,
        "source": source + (f", mean of {seeds} seeds" if seeds > 1 else ""),
    }
    rows = []
    for device, row in representative(results.timed, *named(group), size).items():
        how = f"{row['scope']}, {form_name(row)}, {row['height']} {TIMES} {row['width']}"
        rows.append(common | {"FPS": row["fps"], "device": device, "timed": how})
    return rows or [common]


def _origin(runs: list[Run]) -> tuple[str, str]:
    """Say what networks started from, and on which commits they were measured."""
    started = {
        (run.training.get("init") or {}).get("path")
        or ("ImageNet" if run.training.get("pretrained") else "none")
        for run in runs
    }
    states = [run.scored["code"] for run in runs]
    commits = dict.fromkeys(
        state["commit"][:12] + (f" ({state['date']})" if state.get("date") else "")
        for state in states
        if state["commit"]
    )
    where = f" on commit{'s' if len(commits) > 1 else ''} {', '.join(commits)}" if commits else ""
    return ", ".join(sorted(started)), f"measured{where}"
