from itertools import combinations
from pathlib import Path

import pytest
from drawn import texts

from eacnet.report.figures.speed import (
    UNSTATED,
    Point,
    accuracy_speed_figure,
    accuracy_speed_points,
    scaling_figure,
)
from eacnet.report.tables.comparison import read_published

PUBLISHED = read_published(Path(__file__).parents[2] / "data/published.csv")


def timing(**others):
    row = {"device": "GPU A", "network": "dab-pooled", "backbone": "dab", "calibration": "pooled"}
    row |= {"form": "eager", "precision": "fp32", "height": 360, "width": 480, "batch": 1}
    return row | {"scope": "label map", "median_ms": 10.0, "fps": 100.0} | others


def summary(**miou):
    return {
        "groups": [
            {"backbone": "dab", "calibration": name, "scores": {"miou": {"mean": mean}}}
            for name, mean in miou.items()
        ]
    }


def test_only_what_was_timed_at_the_scored_size_is_shown():
    timed = [
        timing(),
        timing(form="compile", fps=150.0),
        timing(form="compile", fps=900.0, precision="bf16"),
        timing(fps=800.0, height=256, width=512),
        timing(fps=700.0, scope="logits"),
        timing(device="CPU B", fps=2.0),
        timing(device="CPU B", fps=1.0, calibration="none", height=256, width=512),
    ]
    found = accuracy_speed_points(summary(none=50.0, pooled=51.0), timed, [], "camvid", [360, 480])
    assert found == {
        "GPU A (ours)": [Point(150.0, 51.0, "dab + pooled", ours=True)],
        "CPU B (ours)": [Point(2.0, 51.0, "dab + pooled", ours=True)],
    }


def test_published_methods_stand_with_their_device_alone():
    found = accuracy_speed_points(summary(), [], PUBLISHED, "camvid", [360, 480])
    assert found["GTX 1080Ti (published)"] == [
        Point(146.0, 66.72, "DABNet (360\N{MULTIPLICATION SIGN}480)", ours=False)
    ]
    cityscapes = accuracy_speed_points(summary(), [], PUBLISHED, "cityscapes", [1024, 2048])
    assert Point(116.9, 72.4, "EACNet", ours=False) in cityscapes[f"{UNSTATED} (published)"]
    assert not any(point.ours for points in cityscapes.values() for point in points)
    assert accuracy_speed_points(summary(), [], PUBLISHED, "folder", [10, 20]) == {}


@pytest.mark.parametrize(
    ("dataset", "size"), [("camvid", [360, 480]), ("cityscapes", [1024, 2048])]
)
def test_no_name_lies_over_another_or_leaves_its_panel(dataset, size):
    timed = [
        timing(height=size[0], width=size[1], calibration=name, fps=fps)
        for name, fps in (("none", 2.4), ("pooled", 2.3), ("full", 1.1))
    ]
    groups = summary(none=68.0, pooled=68.1, full=67.9)
    panels = accuracy_speed_points(groups, timed, PUBLISHED, dataset, size)
    figure = accuracy_speed_figure(panels)
    for axes in figure.axes:
        assert len(axes.texts) == len(panels[axes.get_title("left")])
    words = [(text, box) for text, box in texts(figure) if box.width]
    for (text, box), (other, other_box) in combinations(words, 2):
        assert not box.overlaps(other_box), (text, other)


def test_how_latency_and_memory_grow():
    sizes = [(256, 512), (512, 1024)]
    rows = [timing(height=h, width=w, median_ms=h * w / 1e4, peak_memory_mb=None) for h, w in sizes]
    middle = {"height": 384, "width": 768}  # timed in batches, too
    rows += [timing(batch=n, median_ms=5.0 * n, peak_memory_mb=10.0 * n, **middle)
             for n in (4, 1, 2)]  # fmt: skip
    figure = scaling_figure(rows)
    drawn = {
        (axes.get_xlabel(), axes.get_ylabel()): axes.lines[0].get_xydata().tolist()
        for axes in figure.axes
    }
    assert drawn == {
        ("image (pixels)", "median (ms)"): [[131072, 13.1072], [294912, 5], [524288, 52.4288]],
        ("images in a batch", "median (ms)"): [[1, 5], [2, 10], [4, 20]],
        ("images in a batch", "peak memory (MB)"): [[1, 10], [2, 20], [4, 40]],
    }
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == [f"{h}\N{MULTIPLICATION SIGN}{2 * h}" for h in (256, 384, 512)]
    assert not any("mathdefault" in text for text, _ in texts(figure))


@pytest.mark.parametrize("rows", [[], [timing()], [timing(median_ms=None), timing(batch=2)]])
def test_a_single_timing_shows_no_growth(rows):
    assert scaling_figure(rows) is None
