import shutil
import subprocess

import pytest

from eacnet.report.tables.latex import escape, latex
from eacnet.report.tables.table import Number, Table

NASTY = r"""100 % & _a_ $x$ #1 {b} \end ~ ^ <c> |d| "e" 'f' `g` [h] *i* -- ,, é ß Ł 中 → ± +"""
NASTY += "\N{MULTIPLICATION SIGN}\N{EN DASH}\N{MINUS SIGN}"


def nasty_table():
    rows = [
        [NASTY, Number(1.25, 0.5, (0.0, 2.5), signed=True, best=True), Number(None)],
        ["[1] in brackets", Number(-1234.5, second=True), Number(2.0)],
        ["* a star", Number(0.0), Number(None)],
    ]
    return Table("nasty", NASTY, NASTY, [NASTY, "gain (%)", "F_1"], rows)


def test_a_table_is_as_written_by_hand():
    text = latex(nasty_table())
    assert r"\label{tab:nasty}" in text
    assert r"\begin{tabular}{lrr}" in text
    assert r"& gain (\%) & F\_1 \\" in text
    assert r"& \textbf{$+$1.25 $\pm$ 0.50 {[}0.00, $+$2.50]} & \textendash{} \\" in text
    assert "\n" + r"{[}1] in brackets & \underline{$-$1,234.50} & 2.00 \\" in text
    assert "\n" + r"{*} a star & 0.00 & \textendash{} \\" in text


def test_every_special_character_is_escaped():
    assert escape("%&_+#$") == r"\%\&\_$+$\#\$"
    assert escape("a\n b") == "a b"
    assert escape("é 中") == "é U$+$4E2D"


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_it_compiles_as_it_is(tmp_path):
    (tmp_path / "nasty.tex").write_text(latex(nasty_table()), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "nasty.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Missing character" not in done.stdout
    assert (tmp_path / "nasty.pdf").stat().st_size > 1000
