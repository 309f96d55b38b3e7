from itertools import combinations
from pathlib import Path

import pytest
from drawn import assert_apart, texts
from experiment import HEAD, machine, timed

from eacnet.config.names import AGREEMENT, BACKBONES, BASELINES
from eacnet.report.figures.accuracy_speed import (
    UNSTATED,
    accuracy_speed,
    measured,
    moves,
    published_points,
)
from eacnet.report.figures.drawing import Pictures
from eacnet.report.figures.scaling import scaling_figure
from eacnet.report.figures.style import BLUE
from eacnet.report.tables.balance import Point, front

PUBLISHED = (Path(__file__).parents[2] / "data/published.csv").read_text()
SMALL = {"height": 360, "width": 480}


def timing(**others):
    return {**timed("dab-pooled", "eager", 10.0), "device": "GPU A", **SMALL, **others}


def of_device(name, *rows):
    return {**machine(name), "rows": list(rows), "modules": [], "skipped": []}


def row(network, fps, form="eager", **others):
    return timed(network, form, 1000 / fps, **{**SMALL, **others})


def test_a_panel_holds_every_network_at_one_size_and_runtime(results):
    rows = [
        row("dab-none", 12.0), row("dab-pooled", 10.0), row("erf-none", 5.0),
        row("dab-pooled", 40.0, "openvino"),  # nobody else was timed in it
        row("dab-pooled", 20.0, precision="bf16"), row("dab-none", 24.0, precision="bf16"),
        row("dab-none", 90.0, height=64, width=64), row("dab-none", 99.0, batch=4),
        row("enet-none", 99.0),  # not of this ablation
    ]  # fmt: skip
    found = results(speed=[of_device("CPU", *rows)])
    (panel,) = measured(found)
    assert {one.size for one in panel} == {(360, 480)}
    assert {(one.name, one.precision): (one.fps, one.miou) for one in panel} == {
        ("dab", "fp32"): (pytest.approx(12.0), 50.0),
        ("dab + pooled", "fp32"): (pytest.approx(10.0), 51.25),
        ("erf", "fp32"): (pytest.approx(5.0), 60.0),
        ("dab", "bf16"): (pytest.approx(24.0), 50.0),
        ("dab + pooled", "bf16"): (pytest.approx(20.0), 51.25),
    }
    figure = accuracy_speed.draw(found, Pictures())
    axes, changes = figure.axes
    assert axes.get_title("left") == "measured here: CPU, 360 \N{MULTIPLICATION SIGN} 480"
    assert {text.get_text() for text in axes.texts} == {"", "erf", "dab"}
    # Arrows lead from none to pooled, in each precision; nothing else is joined.
    ends = {(round(one.xyann[0]), round(one.xy[0])) for one in axes.texts if not one.get_text()}
    assert ends == {(12, 10), (24, 20)}
    marks = [line.get_marker() for line in axes.lines if len(line.get_xdata()) == 1]
    assert sorted(marks) == ["o", "o", "o", "s", "s"]  # one for each precision
    # By hand: 10 of 12 frames per second, 51.25 instead of 50 %; in fp32, as it was scored.
    assert moves(panel) == [("pooled", BLUE, (pytest.approx(-100 / 6), pytest.approx(1.25)))]
    assert {text.get_text() for text in changes.texts} == {"", "pooled"}


def point(fps, miou, precision="fp32", agreement=1.0, network=("dab", "none")):
    how = precision, "eager", fps, 1000 / fps, agreement
    return Point("CPU", (360, 480), *network, *how, miou, None)


def test_an_arrow_is_named_by_what_differs_among_them():
    def names(*networks):
        panel = [point(9.0, 50.0, network=tuple(one.split())) for one in networks]
        return [name for name, *_ in moves(panel)]

    assert names("dab none", "dab pooled", "dab edge") == ["pooled", "edge"]
    assert names("dab none", "dab edge", "erf none", "erf edge") == ["dab", "erf"]


def test_a_hundredth_of_a_point_is_no_leap_on_the_axis(results):
    rows = [row("dab-none", 12.0)]
    figure = accuracy_speed.draw(results(speed=[of_device("CPU", *rows)]), Pictures())
    low, high = figure.axes[0].get_ylim()
    assert low <= 49.5
    assert high >= 50.5


def test_the_front_is_what_nothing_else_beats():
    slow, middle, fast = point(1.0, 60.0), point(10.0, 55.0), point(20.0, 50.0)
    beaten = [point(10.0, 54.0), point(9.0, 55.0), point(0.5, 60.0), point(19.0, 49.0)]
    changed = [point(90.0, 70.0, "int8", 0.99), point(90.0, 70.0, "bf16", None)]
    assert front([middle, *changed, fast, *beaten, slow]) == [slow, middle, fast]
    kept = point(30.0, 60.0, "bf16", AGREEMENT)
    assert front([slow, middle, fast, kept]) == [kept]
    assert front([]) == []


def test_the_drawn_front_passes_below_nothing_that_counts(results):
    rows = [row("dab-none", 12.0), row("dab-pooled", 10.0), row("erf-none", 5.0)]
    rows += [row("erf-pooled", 30.0, precision="int8", agreement=0.9)]
    figure = accuracy_speed.draw(results(speed=[of_device("CPU", *rows)]), Pictures())
    (line,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 1]
    assert list(zip(*line.get_data(), strict=True)) == [
        (pytest.approx(5.0), 60.0), (pytest.approx(10.0), 51.25), (pytest.approx(12.0), 50.0)
    ]  # fmt: skip
    pale = [line for line in figure.axes[0].lines if line.get_alpha() not in (None, 1)]
    assert [line.get_marker() for line in pale] == ["D"]


def test_another_size_stands_in_where_the_scored_one_was_not_timed(results):
    large, small = {"height": 512, "width": 1024}, {"height": 64, "width": 64}
    rows = [row("dab-none", 3.0, **large), row("dab-none", 9.0, **small)]
    more = row("dab-pooled", 8.0, **small)
    sizes = [{one.size for one in measured(results(speed=[of_device("CPU", *given)]))[0]}
             for given in (rows, rows[1:], [*rows, more])]  # fmt: skip
    # The common one among equals, and otherwise that of the most networks.
    assert sizes == [{(512, 1024)}, {(64, 64)}, {(64, 64)}]
    found = results(speed=[of_device("CPU", row("lraspp", 3.0))])
    assert measured(found) == []
    assert accuracy_speed.draw(found, Pictures()) is None


def test_published_methods_are_grey_in_a_panel_of_their_own(results):
    found = results(published=PUBLISHED, speed=[of_device("CPU", row("dab-none", 3.0))])
    names = [one.name for one in published_points(found)]
    assert "DABNet 360\N{MULTIPLICATION SIGN}480 (GTX 1080Ti)" in names
    figure = accuracy_speed.draw(found, Pictures())
    ours, others = figure.axes
    assert [text.get_text() for text in ours.texts] == ["dab"]
    assert {text.get_text() for text in others.texts} == set(names)
    assert {text.get_color() for text in others.texts} == {"0.55"}
    assert {line.get_color() for line in others.lines} == {"0.55"}
    data = {"dataset": "cityscapes", "size": [1024, 2048]}
    names = [one.name for one in published_points(results(published=PUBLISHED, data=data))]
    assert f"EACNet ({UNSTATED})" in names
    assert published_points(results(published=HEAD)) == []


def test_no_name_of_eleven_networks_lies_over_another(results, eleven):
    found = results(published=PUBLISHED, **eleven)
    assert len(measured(found)[0]) == 3 * (9 * 2 + 2)
    figure = accuracy_speed.draw(found, Pictures())
    words = [(text, box) for text, box in texts(figure) if box.width]
    named = [text for text, _ in words]
    assert all(named.count(backbone) == 2 for backbone in BACKBONES)
    assert all(named.count(baseline) == 1 for baseline in BASELINES)
    assert_apart(figure, words)


@pytest.mark.parametrize("dataset", ["camvid", "cityscapes"])
def test_no_name_lies_over_another_or_leaves_its_panel(results, dataset):
    rows = [row("dab-none", 2.4), row("dab-pooled", 2.3), row("erf-none", 1.1)]
    data = {"dataset": dataset, "size": [360, 480]}
    found = results(published=PUBLISHED, data=data, speed=[of_device("CPU", *rows)])
    figure = accuracy_speed.draw(found, Pictures())
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
