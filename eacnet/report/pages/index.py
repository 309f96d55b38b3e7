"""The overview of all reports: what there is for every dataset, as Markdown that GitHub shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from eacnet.errors import InputError
from eacnet.report.results import MALFORMED, Results, read_results, read_speed
from eacnet.report.tables.columns import (
    CLAIMED,
    REFERENCES,
    SCORES,
    Columns,
    compared,
    gained,
    named,
    network_name,
    own,
    reading,
    verdict,
)
from eacnet.report.tables.table import Filled, as_frame, markdown_rows
from eacnet.report.tables.text import markdown as escape

# What may lie in the folder of an experiment, in the order of the list.
PARTS = {
    "README.md": "report",
    "index.html": "page for the browser",
    "tables": "tables",
    "figures": "figures",
    "checklist.md": "reproducibility checklist",
    "ablation.json": "ablation",
    "main": "main network",
    "cells": "cells of the ablation",
}
HEAD = (
    "# Reports\n\nOne folder for each dataset and variant of its recipe. Gain: what calibration"
    " changes in mIoU against the same backbone trained without it, in percentage points, with its"
    " interval over seeds and images in brackets, with one seed over the images alone. Scores of"
    " different datasets do not compare.\n"
)
READINGS = (
    "What calibration gains, by reading",
    "From scratch: both networks of a pair start from fresh weights. Continued: both go on from one"
    " trained backbone. Frozen: the calibration alone trains, on top of it. Differences in"
    " percentage points, mean ± standard deviation over the seeds; in brackets the 95 % interval"
    " over seeds and images together. Detectable: the gain in mIoU that such an experiment would"
    " have called with a probability of 80 %, were it the only one. The verdict is on mIoU,"
    " corrected for the number of gains (Holm).",
)
FOOT = (
    "Tables are Markdown, LaTeX (a bare `tabular` of booktabs for `\\input`) and CSV with the same"
    " rows: in CSV figures are not rounded and a missing one is an empty field, elsewhere it is a"
    " dash. `dvc plots diff` compares curves, classes and confusion across commits. This list is"
    " written by `python -m stages.index`, at the end of every report.\n"
)


def index(reports: Path) -> str:
    """Return the overview; an experiment or machine that can't be read is named and left out.

    Args:
        reports: the folder of all experiments.
    """
    folders = [
        folder for folder in sorted(reports.iterdir())
        if (folder / "main").exists() or (folder / "ablation.json").exists()
    ]  # fmt: skip
    rows, links, unreadable, pairs = [], [], [], []
    for folder in folders:
        try:
            results = read_results(folder)
            row, own_pairs = _row(results), _pairs(results)
        except (InputError, *MALFORMED) as error:
            text = str(error).replace(f"{reports.resolve()}/", "").replace(f"{reports}/", "")
            unreadable.append(f"{folder.name}: {text}")
            continue
        rows.append(row)
        pairs += own_pairs
        found = [
            f"[{label}]({folder.name}/{part})"
            for part, label in PARTS.items()
            if (folder / part).exists()
        ]
        links.append(f"**{escape(folder.name)}**: {', '.join(found)}\n")
    machines, broken = read_speed(reports / "speed")
    unreadable += [f"speed/{text}" for text in broken]
    parts = [HEAD, _table(rows) if rows else "There are none yet; `dvc repro` makes the first.\n"]
    if pairs:
        parts.append(Filled("readings", *READINGS, _readings(pairs)).markdown())
    parts += links
    if machines:
        timed = [
            f"[{escape(one['machine']['device'])}](speed/{name})" for name, one in machines.items()
        ]
        parts.append(f"**Speed** on {', '.join(timed)}\n")
    if unreadable:
        parts.append("**Left out**, because it can't be read:\n")
        parts.append("".join(f"- {escape(text)}\n" for text in unreadable))
    # A folder's name may hold bytes that are no text.
    return "\n".join([*parts, FOOT]).encode(errors="backslashreplace").decode()


def _row(results: Results) -> dict[str, Any]:
    group = own(results, results.network)
    gain = compared(group).get("none", {}).get("miou") if group else None
    return {
        "experiment": results.folder.name,
        "network": network_name(*results.network),
        "epochs": results.training["recipe"]["epochs"],
        "split": results.split,
        "frames": results.evaluation["frames"],
        "mIoU (%)": results.evaluation["miou"],
        "gain": gain,
        "seeds": len(group["seeds"]) if group else None,
    }


def _pairs(results: Results) -> list[dict[str, Any]]:
    """Return the rows of `_readings`: columns by heading, and gains by score."""
    return [
        {
            "experiment": results.folder.name,
            "reading": reading(results.runs[named(group)][0].training),
            "backbone": group["backbone"],
            "calibration": group["calibration"],
            "against": reference,
            "seeds": len(group["seeds"]),
            **{name: gains.get(name) for name in CLAIMED},
            "detectable": gains["miou"].get("detectable"),
            "verdict": verdict(gains["miou"]),
        }
        for group in results.groups
        for reference, gains in compared(group).items()
        if reference in REFERENCES and len(group["seeds"]) > 1
    ]


def _readings(pairs: Sequence[dict[str, Any]]) -> pd.DataFrame:
    columns: Columns = {}
    for name in pairs[0]:
        entries = [pair[name] for pair in pairs]
        columns |= (
            gained(f"gain in {SCORES[name]}", entries) if name in CLAIMED else {name: entries}
        )
    return as_frame(columns)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    gains = columns.pop("gain")
    seeds = columns.pop("seeds")
    frame: pd.DataFrame = as_frame(columns | gained("gain", gains) | {"seeds": seeds})
    return markdown_rows(frame)
