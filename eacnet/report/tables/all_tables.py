"""The tables of a paper's experiments section, each from the result files and in one place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eacnet.files import write_text
from eacnet.report.pages.page import Results, Run
from eacnet.report.tables.ablation import ablation_table
from eacnet.report.tables.breakdown import band_table, class_table, confusion_pairs
from eacnet.report.tables.comparison import comparison
from eacnet.report.tables.gains import differences, over_decoder, wins
from eacnet.report.tables.latex import latex
from eacnet.report.tables.table import MISSING, Table, comma_separated
from eacnet.report.tables.timing import speed_table, timings


def tables(results: Results) -> list[Table]:
    """Return all tables of an experiment."""
    timed, summary = timings(results.speed), results.ablation
    compared = any(group["gain"] for group in summary["groups"])
    return [
        ablation_table(summary, timed, results.data["size"]),
        *([differences(summary), wins(summary)] if compared else []),
        *filter(None, [over_decoder(summary)]),
        class_table(results.evaluation, summary),
        band_table(results.evaluation, summary),
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
