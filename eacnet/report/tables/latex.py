"""Tables as LaTeX (booktabs): each file is a document of its own and compiles as it is."""

import unicodedata
from collections.abc import Sequence

from eacnet.report.tables.table import MINUS, MISSING, TIMES, Cell, Number, Table

# A paper takes the file in with \usepackage{docmute} and \input, or by its `table` alone.
_DOCUMENT = r"""\documentclass{{article}}
\usepackage[T1]{{fontenc}}
\usepackage[utf8]{{inputenc}}
\IfFileExists{{lmodern.sty}}{{\usepackage{{lmodern}}}}{{}}
\usepackage[a4paper,landscape,margin=1.5cm]{{geometry}}
\usepackage{{booktabs}}
\usepackage{{graphicx}}
\begin{{document}}
\begin{{table}}
\centering
\caption{{{caption}}}
\label{{tab:{name}}}
\resizebox{{\ifdim\width>\linewidth\linewidth\else\width\fi}}{{!}}{{%
\begin{{tabular}}{{{alignment}}}
\toprule
{heading} \\
\midrule
{body}
\bottomrule
\end{{tabular}}}}
\par\medskip
\parbox{{\linewidth}}{{\footnotesize {note}}}
\end{{table}}
\end{{document}}
"""

_ESCAPED = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    # Behind the end of a line, these two would be read as its options.
    "[": "{[}",
    "*": "{*}",
    "+": "$+$",
    "±": r"$\pm$",
    MINUS: "$-$",
    TIMES: r"$\times$",
    MISSING: r"\textendash{}",
}


def latex(table: Table) -> str:
    """Write a table as a LaTeX document: best in bold, second best underlined."""
    return _DOCUMENT.format(
        name=table.name,
        caption=escape(table.caption),
        note=escape(table.note),
        alignment="".join("r" if numeric else "l" for numeric in table.numeric),
        heading=_line(table.columns),
        body="\n".join(rf"{_line(row)} \\" for row in table.rows),
    )


def escape(text: str) -> str:
    """Return plain text as LaTeX that prints just that text, on one line.

    The standard fonts hold the letters of western and central Europe; of any other character only
    its base letter is kept, or where there is none its code, such as U+4E2D.
    """
    escaped = "".join(map(_character, " ".join(text.split())))
    # Two of these would be drawn as one sign.
    return escaped.replace("--", "-{}-").replace(",,", ",{},")


def _character(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character.isascii() or (character.isalpha() and ord(character) < 0x180):
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() and base.isalnum() else f"U$+${ord(character):04X}"


def _line(cells: Sequence[Cell]) -> str:
    return " & ".join(map(_cell, cells))


def _cell(cell: Cell) -> str:
    text = escape(str(cell))
    if isinstance(cell, Number) and cell.best:
        return rf"\textbf{{{text}}}"
    if isinstance(cell, Number) and cell.second:
        return rf"\underline{{{text}}}"
    return text
