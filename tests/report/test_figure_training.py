import matplotlib
import numpy as np
import pytest
from drawn import assert_apart, texts
from matplotlib.backends.backend_agg import FigureCanvasAgg

from eacnet.errors import InputError
from eacnet.report.figures.style import save
from eacnet.report.figures.training import read_history, training_figure


def history(epochs, every, factor=1.0):
    return [
        {
            "epoch": float(epoch),
            "loss": factor * 2 / epoch,
            "lr": 1e-3 / epoch,
            "val_miou": 50.0 * factor if every and epoch % every == 0 else None,
        }
        for epoch in range(1, epochs + 1)
    ]


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
    assert read_history(path) == [
        {"epoch": 1, "loss": 2.5, "lr": 0.001, "val_miou": None},
        {"epoch": 2, "loss": 1.25, "lr": 5e-05, "val_miou": 40.5},
    ]


def test_a_network_that_was_not_trained_has_no_curve(tmp_path):
    path = tmp_path / "training.csv"
    path.write_text("epoch,loss,lr,val_miou\n")
    assert read_history(path) == []
    assert training_figure({("dab", "pooled"): [[]]}, "val") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        ("", "is no training curve"),
        ("epoch,loss\n1,2\n", "is no training curve"),
        ("epoch,loss,lr,val_miou\n1,x,1,\n", "is no training curve"),
        ("epoch,loss,lr,val_miou\n1,2\n", "is no training curve"),
    ],
)
def test_a_broken_curve_is_refused(tmp_path, content, message):
    path = tmp_path / "training.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message) as error:
        read_history(path)
    assert str(path) in str(error.value)
