"""The tables of a report: a function each, in one list that every page shows."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from eacnet.files import write_text
from eacnet.report.results import Results, read_results
from eacnet.report.tables import (
    ablation,
    attention,
    comparison,
    origin,
    pick,
    scores,
    speed,
    training,
)
from eacnet.report.tables.table import Filled, Table

TABLES: Sequence[Table] = (
    ablation.ablation,
    ablation.differences,
    ablation.class_differences,
    ablation.wins,
    scores.accuracy,
    scores.classes,
    scores.categories,
    scores.bands,
    scores.effect,
    scores.confusion,
    attention.attention,
    attention.attention_classes,
    comparison.comparison,
    pick.pick,
    speed.speed,
    speed.parts,
    speed.machines,
    training.training,
    origin.sources,
    origin.recipe,
)


class Frames(dict[str, pd.DataFrame]):
    """The frames of an experiment by the names of their tables, also as attributes."""

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in self:
            raise AttributeError(f"no table {name!r}; there are {', '.join(self)}")
        return self[name]


def results(folder: Path | str) -> Frames:
    """Return every table of an experiment as a pandas frame, rebuilt from its result files.

    Neither weights nor the prepared store are needed.

    Args:
        folder: reports/<experiment>.

    Raises:
        InputError: a result file is missing or damaged.
    """
    found = read_results(folder)
    return Frames({one.name: one.frame(found) for one in TABLES})


def shown(results: Results) -> list[Filled]:
    """Return the tables that pages show, in their order; without rows only where that is said."""
    filled = (one.fill(results) for one in TABLES if one.listed)
    return [table for table in filled if len(table.frame) or table.note]


def write_tables(results: Results, folder: Path) -> None:
    """Write each table as Markdown, LaTeX and CSV; one that no page shows, as CSV alone."""
    folder.mkdir()
    for one in TABLES:
        table = one.fill(results)
        if not len(table.frame):
            continue
        write_text(folder / f"{table.name}.csv", table.csv())
        if one.listed:
            write_text(folder / f"{table.name}.md", table.markdown())
            write_text(folder / f"{table.name}.tex", table.latex())
