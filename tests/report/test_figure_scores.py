from itertools import combinations

import numpy as np
import pytest
from drawn import assert_apart, texts

from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.cityscapes import LABELS as CITYSCAPES
from eacnet.datasets.labels import trained
from eacnet.evaluation.counts import Counts
from eacnet.report.figures.by_class import (
    class_gain_figure,
    confusion_figure,
    gains_by_class,
    gains_over_coarse,
)
from eacnet.report.figures.style import save

TWO = ["background", "a class with a long name"]
TABLES = [TWO, *([label.name for label in trained(table)] for table in (CAMVID, CITYSCAPES))]


def test_rows_of_the_matrix_are_percent_of_the_true_class():
    figure = confusion_figure([[30, 10, 0], [1, 999, 0], [0, 0, 0]], ["a", "b", "c"])
    axes = figure.axes[0]
    written = {text.get_position()[::-1]: text.get_text() for text in axes.texts}
    assert written == {(0, 0): "75", (0, 1): "25", (1, 1): "100"}  # 0.1 % is not written
    shown = axes.images[0].get_array()
    np.testing.assert_allclose(shown[:2], [[75, 25, 0], [0.1, 99.9, 0]])
    assert np.ma.getmaskarray(shown)[2].all()  # the truth has no such pixel


@pytest.mark.parametrize("names", TABLES, ids=len)
def test_nothing_in_the_matrix_lies_over_another(names):
    random = np.random.default_rng(0)
    confusion = random.integers(1, 100, (len(names),) * 2)
    figure = confusion_figure(confusion, names)
    words = texts(figure)
    assert set(names) <= {text for text, _ in words}
    flat = [box for box in words if box[0] not in names]
    assert_apart(figure, flat + [box for box in words if box[0] in names])


def ablation(*found):
    return [
        {"backbone": backbone, "calibration": how, "gains": gains} for backbone, how, gains in found
    ]


def test_gains_are_those_of_the_ablation():
    sky = {"mean": 1.5, "std": 0.1, "images": [-0.5, 2.0], "seeds": None, "significant": False}
    summary = ablation(
        ("dab", "none", {}), ("dab", "pooled", {"none": {"class_iou": {"sky": sky}}})
    )
    assert gains_by_class(summary) == {"dab, pooled against none": {"sky": (1.5, -0.5, 2.0)}}
    assert gains_by_class([{"backbone": "dab", "calibration": "none"}]) == {}


def test_a_joint_interval_and_every_reference_have_their_bars():
    one = {"mean": 1.0, "images": [0.5, 2.0], "joint": [-1.0, 3.0]}
    group = {
        "backbone": "dab",
        "calibration": "pooled",
        "gains": {"point": {"class_iou": {"sky": one}}},
    }
    assert gains_by_class([group]) == {"dab, pooled against point": {"sky": (1.0, -1.0, 3.0)}}


def test_gains_over_the_coarse_scores_by_hand():
    after, before = np.array([[30, 10], [0, 60]]), np.array([[20, 20], [0, 60]])
    empty = np.zeros((3, 2, 4), int)
    bands = np.zeros((3, 3, 2, 2), int)
    counts = Counts(np.stack([after] * 3), bands, empty, np.stack([before] * 3), bands, None)
    (gains,) = gains_over_coarse(counts, ["a", "b"]).values()
    # Every image is the same, so every resample is: the interval is a point.
    np.testing.assert_allclose(gains["a"], [100 * (30 / 40 - 20 / 40)] * 3)
    np.testing.assert_allclose(gains["b"], [100 * (60 / 70 - 60 / 80)] * 3)
    assert gains_over_coarse(Counts(counts.confusion, bands, empty), ["a", "b"]) == {}


def test_bars_show_the_gain_and_hatch_what_is_not_sure():
    gains = {"a": (2.0, 1.0, 3.0), "b": (-1.0, -2.0, 0.5)}
    figure = class_gain_figure({"dab": gains}, ["a", "b", "c"])
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [2.0, -1.0]
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, True]
    assert [list(line.get_xdata()) for line in axes.lines[:2]] == [[1.0, 3.0], [-2.0, 0.5]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize(("names", "panels"), [(TABLES[0], 1), (TABLES[2], 3), (TABLES[1], 7)])
def test_no_text_of_the_gains_lies_over_another(names, panels):
    gains = dict.fromkeys(names, (1.0, -0.5, 2.5))
    several = {f"resnet18, pooled against none {i}": gains for i in range(panels)}
    figure = class_gain_figure(several, names)
    words = [(text, box) for text, box in texts(figure) if box.width]
    for (text, box), (other, other_box) in combinations(words, 2):
        assert not box.overlaps(other_box), (text, other)


def test_the_same_scores_give_the_same_bytes(tmp_path):
    for name in "ab":
        for ending in ("svg", "png"):
            figure = class_gain_figure({"dab": {"a": (1.0, -1.0, 2.0)}}, ["a"])
            save(figure, tmp_path / f"{name}.{ending}")
    for ending in ("svg", "png"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
