import matplotlib
import numpy as np
import pandas as pd
import pytest
from drawn import assert_apart, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg

from eacnet.report.figures.style import save
from eacnet.report.figures.training import training_figure
from eacnet.report.results import read_history


def history(epochs, every, factor=1.0):
    epoch = np.arange(1, epochs + 1)
    score = np.where((epoch % every == 0) if every else False, 50.0 * factor, np.nan)
    return pd.DataFrame(
        {"epoch": epoch, "loss": factor * 2 / epoch, "lr": 1e-3 / epoch, "val_miou": score}
    )


def panels(figure):
    """Return the panels' labels, and assert that none lies over another or outside the figure."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.canvas.draw()
    assert_apart(figure, [(axes, axes.get_tightbbox(renderer)) for axes in figure.axes])
    return [(axes.get_title("left"), axes.get_ylabel()) for axes in figure.axes]


@pytest.mark.parametrize(("epochs", "every"), [(1, 1), (2, 2), (40, 10)])
def test_a_row_for_each_backbone(epochs, every):
    runs = [history(epochs, every), history(epochs, every)]
    figure = training_figure(
        {("dab", "none"): runs, ("dab", "pooled"): runs, ("erf", "full"): runs[:1]}, "val"
    )
    score = "mIoU on val (%)"
    assert panels(figure) == [
        ("dab", "mean loss"),
        ("dab", score),
        ("erf", "mean loss"),
        ("erf", score),
    ]
    shown = [text for text, _ in texts(figure)]
    assert {"without calibration (2 seeds)", "pooled (2 seeds)", "full (1 seed)"} <= set(shown)
    line = figure.axes[1].lines[0]
    assert line.get_xdata().tolist() == list(range(every, epochs + 1, every))


def test_line_and_band_are_mean_and_range_over_the_seeds():
    runs = [history(3, 1, factor) for factor in (1, 2, 6)]
    figure = training_figure({("dab", "pooled"): runs}, "val")
    loss = figure.axes[0]
    np.testing.assert_allclose(loss.lines[0].get_ydata(), 3 * np.array([2, 1, 2 / 3]))
    (band,) = loss.collections
    vertices = band.get_paths()[0].vertices
    assert vertices[vertices[:, 0] == 1][:, 1].tolist().count(12.0) > 0
    assert vertices[:, 1].min() == pytest.approx(2 / 3)
    assert vertices[:, 1].max() == 12.0


def test_without_validation_there_is_no_such_panel():
    assert len(training_figure({("dab", "none"): [history(3, 0)]}, None).axes) == 1


def test_the_same_results_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        for ending in (".svg", ".png"):
            figure = training_figure({("dab", "none"): [history(4, 2)] * 2}, "val")
            save(figure, tmp_path / f"{name}{ending}")
    for ending in (".svg", ".png"):
        content = (tmp_path / f"a{ending}").read_bytes()
        assert content == (tmp_path / f"b{ending}").read_bytes()
        assert matplotlib.__version__.encode() not in content
        assert b"dc:date" not in content


def test_the_curve_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "training.csv"
    path.write_text("epoch,loss,lr,val_miou\n1,2.5,0.001,\n2,1.25,5e-05,40.5\n")
    np.testing.assert_array_equal(
        read_history(path), [[1, 2.5, 0.001, np.nan], [2, 1.25, 5e-05, 40.5]]
    )


def test_a_network_that_was_not_trained_has_no_curve(tmp_path):
    path = tmp_path / "training.csv"
    path.write_text("epoch,loss,lr,val_miou\n")
    assert training_figure({("dab", "pooled"): [read_history(path)]}, "val") is None


def test_a_run_that_stopped_early_is_drawn_as_far_as_it_went():
    figure = training_figure({("dab", "none"): [history(4, 2), history(2, 2)]}, "val")
    assert figure.axes[0].lines[0].get_xdata().tolist() == [1, 2, 3, 4]
