"""Tables: cells that know how a figure is written, and their writers for Markdown and CSV."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
# What GitHub would take for markup; "$" would start a formula.
_MARKUP = re.compile(r"([\\`*_\[\]<>|~$])")


@dataclass(frozen=True)
class Number:
    """A figure in a table.

    Attributes:
        value: None where there is none.
        std: standard deviation, None where there is none.
        interval: lower and upper end of a confidence interval, None where there is none.
        decimals: digits after the point, of all of them.
        signed: show a plus, as differences have it.
        best: show it as the best of those that it is compared with.
        second: show it as the second best.
    """

    value: float | None
    std: float | None = None
    interval: tuple[float, float] | None = None
    decimals: int = 2
    signed: bool = False
    best: bool = False
    second: bool = False

    def __str__(self) -> str:
        if self.value is None:
            return MISSING
        text = self._written(self.value)
        if self.std is not None:
            text += f" ± {self.std:,.{self.decimals}f}"
        if self.interval is not None:
            text += f" [{', '.join(map(self._written, self.interval))}]"
        return text

    def _written(self, value: float) -> str:
        # Adding 0.0 turns a rounded -0.0 into 0.0.
        rounded = round(value, self.decimals) + 0.0
        sign = "+" if self.signed and rounded else ""
        return f"{rounded:{sign},.{self.decimals}f}".replace("-", MINUS)


Cell = str | Number


@dataclass(frozen=True)
class Table:
    """A table that is written in several formats, from one set of rows.

    Attributes:
        name: what its files are called.
        caption: what it shows, plain text.
        note: how to read it, plain text.
        columns: headings, plain text.
        rows: one cell for each column; text is plain.
    """

    name: str
    caption: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold figures."""
        return [any(isinstance(row[i], Number) for row in self.rows) for i in range(self.width)]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns)

    def markdown(self) -> str:
        """Return the whole table as a Markdown section: caption, note and rows."""
        rows = markdown(self.columns, self.rows)
        return f"## {escape(self.caption)}\n\n{escape(self.note)}\n\n{rows}"

    def without_empty(self) -> "Table":
        """Return the table without the columns in which every cell is missing."""
        kept = [i for i in range(self.width) if any(str(row[i]) != MISSING for row in self.rows)]
        rows = [[row[i] for i in kept] for row in self.rows]
        return replace(self, columns=[self.columns[i] for i in kept], rows=rows)


def mark_best(numbers: Sequence[Number], lowest: bool = False) -> list[Number]:
    """Mark the best and the second best of `numbers` as they are shown.

    None is marked where all look the same; no second where just two are compared.

    Args:
        numbers: what is compared; missing ones take no part.
        lowest: the lowest is the best, not the highest.
    """
    shown = [None if n.value is None else round(n.value, n.decimals) for n in numbers]
    compared = sum(value is not None for value in shown)
    ranked = sorted({value for value in shown if value is not None}, reverse=not lowest)
    if len(ranked) < 2:
        return list(numbers)
    best, second = ranked[0], ranked[1] if compared > 2 else None
    return [
        replace(n, best=value == best, second=value is not None and value == second)
        for n, value in zip(numbers, shown, strict=True)
    ]


def mark_within(numbers: Sequence[Number], groups: Sequence[object]) -> list[Number]:
    """Mark the best and the second best of each group of `numbers`, which keep their order."""
    marked = list(numbers)
    for group in dict.fromkeys(groups):
        own = [index for index, other in enumerate(groups) if other == group]
        for index, number in zip(own, mark_best([numbers[i] for i in own]), strict=True):
            marked[index] = number
    return marked


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Write a table as GitHub's Markdown: figures to the right, best in bold, second underlined.

    Args:
        columns: headings, plain text.
        rows: one cell for each column; text is plain and is escaped.
    """
    numeric = [any(isinstance(row[i], Number) for row in rows) for i in range(len(columns))]
    lines = [
        [escape(heading) for heading in columns],
        ["---:" if is_numeric else "---" for is_numeric in numeric],
        *([_cell(cell) for cell in row] for row in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escape(text: str) -> str:
    """Return plain text as Markdown that renders as just that text, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def comma_separated(table: Table) -> str:
    """Write a table as CSV for programs: figures unrounded, a missing one is an empty field.

    Standard deviations and the ends of intervals stand in columns of their own behind the figure.
    """
    parts = [_parts([row[i] for row in table.rows]) for i in range(table.width)]
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    pairs = zip(table.columns, parts, strict=True)
    write([f"{column}{part}" for column, own in pairs for part in own])
    for row in table.rows:
        write([own[part](cell) for cell, own in zip(row, parts, strict=True) for part in own])
    return text.getvalue()


def _parts(cells: Sequence[Cell]) -> dict[str, Callable[[Cell], Any]]:
    """Return what a column of cells needs in CSV: the suffix of each column and how to fill it."""
    numbers = [cell for cell in cells if isinstance(cell, Number)]
    parts: dict[str, Callable[[Cell], Any]] = {"": _plain}
    if any(number.std is not None for number in numbers):
        parts[" std"] = lambda cell: getattr(cell, "std", None)
    if any(number.interval is not None for number in numbers):
        parts[" low"] = lambda cell: (getattr(cell, "interval", None) or (None, None))[0]
        parts[" high"] = lambda cell: (getattr(cell, "interval", None) or (None, None))[1]
    return parts


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Number):
        return cell.value
    return None if cell == MISSING else cell


def _cell(cell: Cell) -> str:
    text = escape(str(cell))
    if isinstance(cell, Number) and cell.best:
        return f"**{text}**"
    if isinstance(cell, Number) and cell.second:
        return f"<ins>{text}</ins>"
    return text
