import pytest

from eacnet.report.tables.table import Number, escape, mark_best, markdown

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def test_a_table_is_as_written_by_hand():
    rows = [
        ["none", *mark_best([Number(51.204), Number(None)]), Number(None, signed=True)],
        ["pooled", *mark_best([Number(52.0, 0.3), Number(51.0)]), Number(-0.8, signed=True)],
        ["full", Number(1.0, second=True), Number(2.0), Number(1.0, 0.1, (-0.5, 2.5), 1, True)],
    ]
    assert markdown(["calibration", "mIoU", "F1", "gain"], rows) == (
        "| calibration | mIoU | F1 | gain |\n"
        "| --- | ---: | ---: | ---: |\n"
        f"| none | 51.20 | {DASH} | {DASH} |\n"
        f"| pooled | **52.00 ± 0.30** | 51.00 | {MINUS}0.80 |\n"
        f"| full | <ins>1.00</ins> | 2.00 | +1.0 ± 0.1 \\[{MINUS}0.5, +2.5\\] |\n"
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Number(0.0), "0.00"),
        (Number(None, std=1.0), DASH),
        (Number(-0.001), "0.00"),
        (Number(0.8, signed=True), "+0.80"),
        (Number(0.004, signed=True), "0.00"),
        (Number(12345.6, decimals=0), "12,346"),
        (Number(1.25, 0.04, decimals=1), "1.2 ± 0.0"),
        (Number(-3.0), f"{MINUS}3.00"),
    ],
)
def test_how_a_figure_is_written(number, text):
    assert str(number) == text


@pytest.mark.parametrize(
    ("values", "best"),
    [
        ([1.0, 2.0, 1.5], [False, True, False]),
        ([2.001, 1.0, 2.004], [True, False, True]),  # the same as shown
        ([2.001, 2.004], [False, False]),
        ([None, 2.0], [False, False]),
        ([None, 2.0, 1.0], [False, True, False]),
        ([-1.0, -2.0], [True, False]),
    ],
)
def test_the_best_stands_out_only_where_it_is_better(values, best):
    assert [number.best for number in mark_best([Number(value) for value in values])] == best


@pytest.mark.parametrize(
    ("values", "lowest", "marks"),
    [
        ([1.0, 3.0, 2.0], False, " bs"),
        ([1.0, 3.0, 2.0], True, "b s"),
        ([3.0, 3.0, 2.0], False, "bbs"),
        ([3.0, 2.0, 2.0, 1.0], False, "bss "),
        ([3.0, 2.0, None], False, "b  "),
        ([None, None, None], False, "   "),
    ],
)
def test_the_second_best_is_marked_among_three_or_more(values, lowest, marks):
    numbers = mark_best([Number(value) for value in values], lowest)
    assert "".join("b" if n.best else "s" if n.second else " " for n in numbers) == marks


def test_text_renders_as_itself():
    renderer = pytest.importorskip("markdown_it").MarkdownIt("gfm-like", {"linkify": False})
    text = "a|b *c* _d_ `e` <f> [g](h) \\i ~~j~~"
    tokens = renderer.parse(markdown([text], [["x"], [text]]))
    cells = [token for token in tokens if token.type == "inline"]
    assert [cell.children[0].content for cell in cells[::2]] == [text, text]
    assert all(len(cell.children) == 1 for cell in cells)
    assert escape("two\nlines, $5") == "two lines, \\$5"
