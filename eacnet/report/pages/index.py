"""The overview of all reports: what there is for every dataset, as Markdown that GitHub shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from eacnet.errors import InputError
from eacnet.report.results import MALFORMED, Results, read_results, read_speed
from eacnet.report.tables.columns import compared, gained, network_name, own
from eacnet.report.tables.table import as_frame, markdown_rows
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
    " changes in mIoU against the same backbone trained without it, in percentage points, with the"
    " interval over the images in brackets. Scores of different datasets do not compare.\n"
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
    rows, links, unreadable = [], [], []
    for folder in folders:
        try:
            rows.append(_row(read_results(folder)))
        except (InputError, *MALFORMED) as error:
            text = str(error).replace(f"{reports.resolve()}/", "").replace(f"{reports}/", "")
            unreadable.append(f"{folder.name}: {text}")
            continue
        found = [
            f"[{label}]({folder.name}/{part})"
            for part, label in PARTS.items()
            if (folder / part).exists()
        ]
        links.append(f"**{escape(folder.name)}**: {', '.join(found)}\n")
    machines, broken = read_speed(reports / "speed")
    unreadable += [f"speed/{text}" for text in broken]
    parts = [HEAD, _table(rows) if rows else "There are none yet; `dvc repro` makes the first.\n"]
    parts += links
    if machines:
        timed = [
            f"[{escape(one['machine']['device'])}](speed/{name})" for name, one in machines.items()
        ]
        parts.append(f"**Speed** on {', '.join(timed)}\n")
    if unreadable:
        parts.append("**Left out**, because it can't be read:\n")
        parts.append("".join(f"- {escape(text)}\n" for text in unreadable))
    return "\n".join([*parts, FOOT])


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


def _table(rows: Sequence[dict[str, Any]]) -> str:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    gains = columns.pop("gain")
    seeds = columns.pop("seeds")
    frame: pd.DataFrame = as_frame(columns | gained("gain", gains) | {"seeds": seeds})
    return markdown_rows(frame)
