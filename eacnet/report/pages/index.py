"""The overview of all reports: what there is for every dataset, as Markdown that GitHub shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eacnet.report.tables.cells import calibration_name, gained
from eacnet.report.tables.table import MISSING, Cell, Number, escape, markdown

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


@dataclass(frozen=True)
class Experiment:
    """What one folder of reports/ holds.

    Attributes:
        name: of the folder.
        parts: the names of PARTS that are there.
        training: training.json of the main network, None where it is missing.
        evaluation: evaluation.json of the main network, None where it is missing.
        ablation: ablation.json, None where it is missing.
    """

    name: str
    parts: Sequence[str]
    training: dict[str, Any] | None
    evaluation: dict[str, Any] | None
    ablation: dict[str, Any] | None


def index(experiments: Sequence[Experiment], machines: Sequence[dict[str, Any]]) -> str:
    """Return the overview.

    Args:
        experiments: one for each folder.
        machines: {"file", "device"} of each file of reports/speed: its name and what it is of.
    """
    heads = ["experiment", "network", "epochs", "split", "frames", "mIoU (%)", "gain", "seeds"]
    parts = [
        "# Reports\n",
        "One folder for each dataset and variant of its recipe. Gain: what calibration changes in"
        " mIoU against the same backbone trained without it, in percentage points, with the"
        " interval over the images in brackets. Scores of different datasets do not compare.\n",
        markdown(heads, [_row(experiment) for experiment in experiments])
        if experiments
        else "There are none yet; `dvc repro` makes the first.\n",
    ]
    for experiment in experiments:
        links = [
            f"[{label}]({experiment.name}/{part})"
            for part, label in PARTS.items()
            if part in experiment.parts
        ]
        parts.append(f"**{escape(experiment.name)}**: {', '.join(links)}\n")
    if machines:
        links = [f"[{escape(entry['device'])}](speed/{entry['file']})" for entry in machines]
        parts.append(f"**Speed** on {', '.join(links)}\n")
    parts.append(
        "Tables are Markdown, LaTeX (booktabs, compiles as it is) and CSV with the same rows: in"
        " CSV figures are not rounded and a missing one is an empty field, elsewhere it is a dash."
        " `dvc plots diff` compares curves, classes and confusion across commits. This list is"
        " written by `python -m stages.index`, at the end of every report.\n"
    )
    return "\n".join(parts)


def _row(experiment: Experiment) -> list[Cell]:
    training, evaluation = experiment.training, experiment.evaluation
    groups = (experiment.ablation or {}).get("groups", [])
    network = training and (training["backbone"], training["calibration"])
    own = next((g for g in groups if (g["backbone"], g["calibration"]) == network), None)
    return [
        experiment.name,
        f"{training['backbone']}, {calibration_name(training)}" if training else MISSING,
        Number(training and training["recipe"]["epochs"], decimals=0),
        evaluation["provenance"]["split"] if evaluation else MISSING,
        Number(evaluation and evaluation["frames"], decimals=0),
        Number(evaluation and evaluation["miou"]),
        gained(((own or {}).get("gain") or {}).get("miou")),
        Number(own and len(own["seeds"]), decimals=0),
    ]
