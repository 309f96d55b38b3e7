import numpy as np
from drawn import assert_apart, texts

from eacnet.report.figures.attention_maps import AttentionView, attention_figure
from eacnet.report.figures.style import save


def view(title="frame, rank 1 of 9 (worst)"):
    weights = np.zeros((2, 3))
    weights[1, 2] = 6.0
    image = np.zeros((32, 48, 3), np.uint8)
    return AttentionView(title, image, (11.5, 3.5), weights, (-0.5, 47.5, 31.5, -0.5))


def test_the_attention_lies_over_the_frame_where_it_looks(tmp_path):
    figure = attention_figure([view(), view()])
    right = figure.axes[1]
    _, shown = right.images
    assert shown.get_extent() == [-0.5, 47.5, 31.5, -0.5]
    assert np.ma.getmaskarray(shown.get_array()).sum() == 5
    assert right.lines[0].get_xydata().tolist() == [[11.5, 3.5]]
    assert (right.get_xlim(), right.get_ylim()) == ((-0.5, 47.5), (31.5, -0.5))
    words = [word for word in texts(figure) if word[0].startswith(("frame", "attention"))]
    assert len(words) == 3
    assert_apart(figure, words)
    for name in "ab":
        save(attention_figure([view()]), tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
