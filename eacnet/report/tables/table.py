"""Tables: pandas frames of figures, one row a case, and how people read them.

A frame holds figures as numbers. What belongs to the figure of one column stands in columns of its
own behind it, by the same heading with " std", " low" and " high" (the ends of an interval) or
" digits" (as many as the figure's source gives). For people these are one cell. pandas writes the
tables; that a cell is made of several columns, that its best figures stand out, and that text is
escaped for every language alike, it can't, so the cells are made here.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from eacnet.report.results import Results
from eacnet.report.tables.text import HTML, LATEX, MARKDOWN, MINUS, MISSING, Language
from eacnet.report.tables.text import markdown as escape

# Heading -> digits behind the point and whether a plus is shown; the first that matches.
_WRITTEN: Sequence[tuple[str, int, bool]] = (
    (r"^(gain|difference|net)\b|interval", 2, True),
    (r"^(seeds|rounds|batch|classes|pixels|epochs|frames|threads|won|lost|tied)$", 0, False),
    (r"\((px|MB)\)$|GFLOP/s$", 0, False),
    (r"^(FPS|load|minutes|crops)\b|\(ms\)$|of time|^(positions|entropy|constant) \(", 1, False),
    (r"^(parameters \(M\)|of these attention|same labels)", 3, False),
    (r"^gamma|^p \(", 4, False),
    (r"", 2, False),
)
_LONG_TEXT = 22


@dataclass(frozen=True)
class Filled:
    """A table with its figures.

    Attributes:
        name: what its files are called.
        caption: what it shows, plain text.
        note: how to read it, plain text.
        frame: the figures.
        marks: "best", "second" or "" for each figure of the frame, where figures are ranked.
    """

    name: str
    caption: str
    note: str
    frame: pd.DataFrame
    marks: pd.DataFrame | None = None

    def markdown(self) -> str:
        """Return a section of Markdown: caption, note and rows."""
        rows = markdown_rows(self.frame, self.marks) if len(self.frame) else ""
        note = f"{escape(self.note)}\n\n" if self.note else ""
        return f"## {escape(self.caption)}\n\n{note}{rows}"

    def latex(self) -> str:
        """Return a bare `tabular` (booktabs, T1) to be input; what it shows is a comment in it."""
        cells = _cells(self.frame, self.marks, LATEX)
        sides = "".join("r" if right else "l" for right in _numeric(self.frame))
        rows = cells.style.hide(axis="index").to_latex(hrules=True, column_format=sides)
        return f"% {' '.join(f'{self.caption}. {self.note}'.split())}\n{rows}"

    def html(self) -> str:
        """Return a `table` without a style of its own: figures are of class "number"."""
        cells = _cells(self.frame, self.marks, HTML)
        classes = cells.map(lambda text: "short" if len(text) < _LONG_TEXT else "")
        classes.loc[:, _numeric(self.frame)] = "number"
        styler = Styler(cells, uuid=self.name, cell_ids=False).hide(axis="index")
        # The page's policy allows no style but its own, not even an empty one.
        return styler.set_td_classes(classes).to_html().partition("</style>")[2].strip()

    def csv(self) -> str:
        """Return the frame for programs: nothing rounded, an empty field where nothing is."""
        return self.frame.to_csv(index=False, lineterminator="\n")


@dataclass(frozen=True)
class Table:
    """A table of the report: `frame` makes its figures from the results.

    Attributes:
        name: what its files are called.
        caption: what it shows, plain text.
        note: how to read it, plain text, or what tells that from the results.
        frame: makes the figures; no rows where there is nothing to show.
        marks: says which figures are the best.
        missing: what is said where it has no rows; nothing: it is left out.
        listed: whether pages show it; if not, it is a file for programs alone.
    """

    name: str
    caption: str
    note: str | Callable[[Results], str]
    frame: Callable[[Results], pd.DataFrame]
    marks: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    missing: str = ""
    listed: bool = True

    def fill(self, results: Results) -> Filled:
        """Return the table of an experiment."""
        frame = self.frame(results)
        note = self.note if len(frame) else self.missing
        if not isinstance(note, str):
            note = note(results)
        return Filled(self.name, self.caption, note, frame, self.marks and self.marks(frame))


def table(
    name: str, caption: str, note: str | Callable[[Results], str] = "", **others: Any
) -> Callable[[Callable[[Results], pd.DataFrame]], Table]:
    """Make a Table of the function that makes its frame."""
    return lambda frame: Table(name, caption, note, frame, **others)


def as_frame(columns: dict[str, Iterable[Any]]) -> pd.DataFrame:
    """Return columns by their headings as a frame, without those that hold nothing."""
    frame = pd.DataFrame({heading: list(values) for heading, values in columns.items()})
    return frame.dropna(axis="columns", how="all")


def markdown_rows(frame: pd.DataFrame, marks: pd.DataFrame | None = None) -> str:
    """Return a frame as the rows of GitHub's Markdown: figures to the right, text escaped."""
    cells = _cells(frame, marks, MARKDOWN)
    sides = ["right" if right else "left" for right in _numeric(frame)]
    options = {"tablefmt": "pipe", "disable_numparse": True, "colalign": sides}
    return cells.to_markdown(index=False, **options) + "\n"


def number(
    value: float | None,
    std: float | None = None,
    ends: Sequence[float] | None = None,
    digits: int = 2,
    signed: bool = False,
) -> str:
    """Write a figure: mean ± deviation [low, high], as far as they are there, or a dash."""

    def one(figure: float) -> str:
        # Adding 0.0 turns a rounded -0.0 into 0.0.
        rounded = round(figure, digits) + 0.0
        return f"{rounded:{'+' if signed and rounded else ''},.{digits}f}".replace("-", MINUS)

    parts = []
    if not _none(value):
        parts.append(one(value))
        if not _none(std):
            parts.append(f"± {std:,.{digits}f}")
    if ends is not None and not any(map(_none, ends)):
        parts.append(f"[{', '.join(map(one, ends))}]")
    return " ".join(parts) or MISSING


def gain_text(entry: dict[str, Any]) -> str:
    """Write a gain of ablation.json with its deviation over seeds."""
    return number(entry["mean"], entry["std"], signed=True)


def _headings(frame: pd.DataFrame) -> list[str]:
    """Return what people see as columns: figures with what belongs to them."""
    names, seen = set(frame.columns), []
    for column in frame.columns:
        base, _, part = column.rpartition(" ")
        if part in ("std", "digits") and base in names:
            continue
        if part in ("low", "high") and {f"{base} low", f"{base} high"} <= names:
            column = base
        seen.append(column)
    return list(dict.fromkeys(seen))


def _numeric(frame: pd.DataFrame) -> list[bool]:
    return [
        pd.api.types.is_numeric_dtype(frame.get(name, frame.get(f"{name} low")))
        for name in _headings(frame)
    ]


def _cells(frame: pd.DataFrame, marks: pd.DataFrame | None, language: Language) -> pd.DataFrame:
    """Return the text of every cell as a language writes it; frames of figures stay as they are."""
    columns = {}
    for heading, is_number in zip(_headings(frame), _numeric(frame), strict=True):
        cells = []
        for index, row in frame.iterrows():
            text = _figure(row, heading) if is_number else _text(row[heading])
            ranked = marks is not None and heading in marks
            mark = marks.at[index, heading] if ranked else ""
            shape = {"best": language.best, "second": language.second}.get(mark, "{}")
            cells.append(shape.format(language.escape(text)))
        columns[language.escape(heading)] = cells
    return pd.DataFrame(columns, dtype=object)


def _figure(row: pd.Series, heading: str) -> str:
    digits, signed = how_written(heading)
    stated = row.get(f"{heading} digits")
    ends = [row.get(f"{heading} {end}") for end in ("low", "high")]
    digits = digits if _none(stated) else int(stated)
    return number(row.get(heading), row.get(f"{heading} std"), ends, digits, signed)


def _text(value: Any) -> str:
    return MISSING if _none(value) or value == "" else str(value)


def how_written(heading: str) -> tuple[int, bool]:
    """Return how the figures under a heading are written: digits, and whether a plus is shown."""
    return next((digits, plus) for found, digits, plus in _WRITTEN if re.search(found, heading))


def _none(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and np.isnan(value))
