"""Tables: cells that know how a figure is written, and a writer for each format."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        decimals: digits after the point, of both.
        signed: show a plus, as differences have it.
        best: show it as the best of those that it is compared with.
    """

    value: float | None
    std: float | None = None
    decimals: int = 2
    signed: bool = False
    best: bool = False

    def __str__(self) -> str:
        if self.value is None:
            return MISSING
        # Adding 0.0 turns a rounded -0.0 into 0.0.
        rounded = round(self.value, self.decimals) + 0.0
        sign = "+" if self.signed and rounded else ""
        text = f"{rounded:{sign},.{self.decimals}f}"
        text = text.replace("-", MINUS)
        return text if self.std is None else f"{text} ± {self.std:,.{self.decimals}f}"


Cell = str | Number


def mark_best(numbers: Sequence[Number]) -> list[Number]:
    """Mark the highest of `numbers` as they are shown; none where all look the same."""
    shown = [None if n.value is None else round(n.value, n.decimals) for n in numbers]
    present = {value for value in shown if value is not None}
    if len(present) < 2:
        return list(numbers)
    highest = max(present)
    return [replace(n, best=value == highest) for n, value in zip(numbers, shown, strict=True)]


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Write a table as GitHub's Markdown: figures to the right, text to the left, best in bold.

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


def _cell(cell: Cell) -> str:
    text = escape(str(cell))
    return f"**{text}**" if isinstance(cell, Number) and cell.best else text
