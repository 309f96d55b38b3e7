"""What pandas, Markdown, LaTeX and HTML readers find in the written tables."""

import io
import re
import shutil
import subprocess

import lxml.html
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from eacnet.report.tables.rank import across, down, rank
from eacnet.report.tables.table import Filled, as_frame, markdown_rows, number

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
NASTY = [
    r"a & b", "under_score", "100 %", "$5", "a|b", "*star*", "<b>", "`code`", "#1", "{x}", r"\n",
    "~ ^", "[a](b)", "'quoted' \"twice\"", "&amp;", "<script>alert(1)</script>", "**b**", "--",
    "a---b", "x,,,,y", "a  b", "Fußgänger", "行人", "🚲", "**", "|", "\\|", "_", "<!-- x -->",
    "${jndi}", "-1", "1e5",
]  # fmt: skip


def filled(frame, marks=None):
    return Filled("t", "A caption", "A note", frame, marks and marks(frame))


def html_frame(table):
    return pd.read_html(io.StringIO(table.html()), keep_default_na=False)[0]


def test_a_cell_is_a_figure_with_what_belongs_to_it():
    frame = as_frame(
        {
            "who": ["a", "b", "c"],
            "gain": [1.25, -0.5, None],
            "gain std": [0.1, None, None],
            "gain low": [0.5, -1.5, None],
            "gain high": [2.0, 0.5, None],
            "interval low": [0.1, None, None],
            "interval high": [0.2, None, None],
            "empty": [None, None, None],
            "quoted": [66.7, 146.0, None],
            "quoted digits": [1, 0, None],
            "seeds": [1, 2000, 3],
        }
    )
    table = filled(frame)
    shown = html_frame(table).astype(str)
    assert list(shown) == ["who", "gain", "interval", "quoted", "seeds"]
    assert shown["gain"].tolist() == [
        "+1.25 ± 0.10 [+0.50, +2.00]", f"{MINUS}0.50 [{MINUS}1.50, +0.50]", DASH
    ]  # fmt: skip
    assert shown["interval"].tolist() == ["[+0.10, +0.20]", DASH, DASH]
    assert shown["quoted"].tolist() == ["66.7", "146", DASH]
    # CSV keeps everything, unrounded; what is missing is empty, for programs to see.
    back = pd.read_csv(io.StringIO(table.csv()))
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)
    assert ",,,,,," in table.csv().splitlines()[3]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0.0,), "0.00"),
        ((None, 1.0), DASH),
        ((float("nan"),), DASH),
        ((-0.001,), "0.00"),
        ((0.8, None, None, 2, True), "+0.80"),
        ((0.004, None, None, 2, True), "0.00"),
        ((12345.6, None, None, 0), "12,346"),
        ((-3.0,), f"{MINUS}3.00"),
    ],
)
def test_how_a_figure_is_written(arguments, text):
    assert number(*arguments) == text


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([1.0, 3.0, 2.0], " bs"),
        ([3.0, 3.0, 2.0], "bbs"),
        ([3.0, 2.0, 2.0, 1.0], "bss "),
        ([3.0, 2.0, None], "b  "),
        ([2.001, 1.0, 2.004], "bsb"),  # the same as shown
        ([2.001, 2.004], "  "),
        ([None, 2.0], "  "),
        ([None, None], "  "),
        ([-1.0, -2.0], "b "),
    ],
)
def test_the_best_stands_out_only_where_it_is_better(values, marks):
    found = rank(pd.Series(values, dtype=float), "mIoU")
    assert "".join(mark[:1] or " " for mark in found) == marks


def test_ranks_run_down_groups_or_across_rows():
    frame = pd.DataFrame({"g": list("aabb"), "x": [1.0, 2.0, 9.0, 8.0], "y": [3.0, 1.0, 9.0, 9.5]})
    assert down("x", "g")(frame)["x"].tolist() == ["", "best", "best", ""]
    assert across("x|y")(frame).loc[:, ["x", "y"]].to_numpy().tolist() == [
        ["", "best"], ["best", ""], ["", ""], ["", "best"]
    ]  # fmt: skip
    table = filled(frame, down("x", "g"))
    assert "<strong>2.00</strong>" in table.html()
    assert r"\textbf{2.00}" in table.latex()
    assert "**2.00**" in table.markdown()


def same(text):
    return " ".join(text.split())


def markdown_text(text):
    renderer = pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})
    cells = [t.children for t in renderer.parse(text) if t.type == "inline"]
    assert all(child.type == "text" for cell in cells for child in cell), cells
    return ["".join(child.content for child in cell) for cell in cells]


# What TeX prints for these, from "The Comprehensive LaTeX Symbol List".
PRINTED = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^",
    r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|", r"\textquotedbl{}": '"',
    r"\textasciigrave{}": "`", r"\textquotesingle{}": "'", "-{}": "-", ",{}": ",",
    **{rf"\{sign}": sign for sign in "&%$#_{}"}, "$+$": "+", "$-$": MINUS, r"$\pm$": "±",
    r"$\times$": "\N{MULTIPLICATION SIGN}", r"\textendash{}": DASH, "{[}": "[", "{*}": "*",
}  # fmt: skip


def latex_text(text):
    """Return the cells as TeX would print them; characters that it takes for commands are left."""
    body = re.search(r"\\midrule\n(.*)\n\\bottomrule", text, re.DOTALL)[1]
    pattern = re.compile("|".join(map(re.escape, PRINTED)) + r"|([\\{}$&%#_~^]|--|,,)")

    def printed(match):
        return "COMMAND" if match[1] else PRINTED[match[0]]

    rows = [re.split(r"(?<!\\) & ", line.removesuffix(r" \\")) for line in body.split("\n")]
    return [[pattern.sub(printed, cell) for cell in row] for row in rows]


def assert_text_stays(names):
    frame = pd.DataFrame({"class": names, "x": range(len(names))}, dtype=object)
    frame["x"] = frame["x"].astype(float)
    table = filled(frame)
    expected = [same(name) or DASH for name in names]
    assert markdown_text(markdown_rows(frame))[2::2] == expected
    assert [row[0] for row in latex_text(table.latex())] == expected
    page = table.html()
    cells = lxml.html.fromstring(page).xpath("//td[1]")
    assert [same(cell.text_content()) or DASH for cell in cells] == expected
    assert all(len(cell) == 0 for cell in cells)  # no element in it
    assert not re.search(r"<(script|style|img|a|iframe)\b| on\w+=| style=", page)


def test_names_render_as_just_that_text():
    assert_text_stays(NASTY)


# Letters, signs and spaces of every script; no control characters, which no name has.
LETTERS = some.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Cf", "Zl", "Zp"))


@settings(max_examples=60, deadline=None)
@given(some.lists(some.text(LETTERS, min_size=1, max_size=12).filter(str.strip), min_size=1))
def test_any_name_renders_as_just_that_text_in_markdown_and_html(names):
    frame = pd.DataFrame({"class": names}, dtype=object)
    expected = [same(name) for name in names]
    assert markdown_text(markdown_rows(frame))[1:] == expected
    page = filled(frame).html()
    cells = lxml.html.fromstring(page).xpath("//td")
    assert [same(cell.text_content()) for cell in cells] == expected
    assert all(len(cell) == 0 for cell in cells)


def nasty_table():
    frame = pd.DataFrame({"class %_&": NASTY, "gain": np.arange(len(NASTY)) - 1.5})
    return filled(frame)


def test_latex_is_a_bare_tabular():
    lines = nasty_table().latex().splitlines()
    assert lines[0] == "% A caption. A note"
    assert lines[1:3] == [r"\begin{tabular}{lr}", r"\toprule"]
    assert lines[3] == r"class \%\_\& & gain \\"
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    # A row that starts with a bracket or a star would be an option of the line before.
    assert not [line for line in lines if re.match(r"[\[*]", line)]
    assert len(lines) == len(NASTY) + 7


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_compiles_in_a_document(tmp_path):
    plain = [name for name in NASTY if name.isascii() or name == "Fußgänger"]
    frame = pd.DataFrame({"class": plain, "gain": np.arange(len(plain)) - 1.5})
    (tmp_path / "t.tex").write_text(filled(frame).latex())
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}"
        r"\begin{document}\input{t}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Missing character" not in done.stdout
