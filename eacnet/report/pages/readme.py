"""The page of an experiment that GitHub shows: words, all tables, all figures."""

from collections.abc import Sequence

from eacnet.report.figures.drawing import Drawing
from eacnet.report.pages import words
from eacnet.report.results import Results
from eacnet.report.tables import shown
from eacnet.report.tables.text import markdown as escape

# Tables of where results come from stand at the end, behind the figures.
ORIGIN = ("sources", "recipe")
BESIDE = (
    "The same [as a page for the browser](index.html), which needs no network: every two of image,"
    " truth and predictions side by side, tables that sort. All tables for papers, in Markdown,"
    " LaTeX and CSV: [the ablation](tables/ablation.tex) and those beside it; in a notebook,"
    ' `eacnet.results("reports/{}")` gives them as pandas frames. What is reproducible, [item by'
    " item](checklist.md).\n"
)


def readme(results: Results, figures: Sequence[Drawing]) -> str:
    """Return the page; the figures lie beside it in figures/."""
    tables = shown(results)
    return "\n".join(
        [
            _introduction(results),
            BESIDE.format(results.folder.name),
            *(table.markdown() for table in tables if table.name not in ORIGIN),
            *(_section(figure, results) for figure in figures),
            *(table.markdown() for table in tables if table.name in ORIGIN),
            f"{words.how_to_repeat(results)}\n\n```sh\n{words.command(results)}\n```\n",
        ]
    )


def _introduction(results: Results) -> str:
    """Say what was trained on what, for how long, what it was scored on, and what came out."""
    method, *outcome = map(escape, words.summary(results))
    figure = words.score(results)
    said = " ".join(outcome).replace(figure, f"**{figure}**", 1)
    return f"# {escape(words.title(results))}\n\n{method}\n\n{said}\n"


def _section(figure: Drawing, results: Results) -> str:
    text = escape(figure.caption(results))
    if not figure.pixels:
        text += f" For print: [SVG](figures/{figure.name}.svg)."
    image = f"![{figure.alternative}](figures/{figure.name}.png)"
    return f"## {figure.title}\n\n{text}\n\n{image}\n"
