from itertools import combinations

import matplotlib
import matplotlib.colors
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox
from PIL import Image

from eacnet.errors import InputError
from eacnet.labels import CAMVID, CITYSCAPES, trained
from eacnet.reporting.examples import Example
from eacnet.reporting.figures import example_figure, read_history, save, training_curve


def classes_of(table):
    return [{"name": label.name, "color": label.color} for label in trained(table)]


def example(shape, calibrated, title="frame     mIoU 50.0 %     rank 1 of 9 (worst)"):
    random = np.random.default_rng(0)
    image = random.integers(256, size=(*shape, 3), dtype=np.uint8)
    maps = random.integers(3, size=(3, *shape), dtype=np.uint8)
    return Example(title, image, maps[0], maps[1], maps[2] if calibrated else None)


def history(epochs, every):
    return [
        {
            "epoch": float(epoch),
            "loss": 2 / epoch,
            "lr": 1e-3 / epoch,
            "val_miou": 50.0 if every and epoch % every == 0 else None,
        }
        for epoch in range(1, epochs + 1)
    ]


def texts(figure):
    """Return the boxes of all visible texts in pixels, by text."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.canvas.draw()
    found = [t for t in figure.findobj(lambda a: hasattr(a, "get_text")) if t.get_text()]
    return [(t.get_text(), t.get_window_extent(renderer)) for t in found if t.get_visible()]


LONG = [
    {"name": f"a class with quite a long name, number {i}", "color": (i, 0, 0)} for i in range(40)
]


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize(
    "classes", [classes_of(CAMVID), classes_of(CITYSCAPES), LONG], ids=["11", "19", "40 long"]
)
def test_nothing_is_clipped_or_lies_over_another(classes, calibrated):
    figure = example_figure([example((30, 40), calibrated)] * 2, classes)
    words = texts(figure)
    shown = [text for text, _ in words]
    assert all(entry["name"] in shown for entry in classes)
    tiles = [Bbox.from_bounds(tile.ox, tile.oy, *tile.get_size()[::-1]) for tile in figure.images]
    swatches = [patch.get_window_extent() for patch in figure.artists]
    assert len(swatches) == len(classes) + (4 if calibrated else 2)
    boxes = [*words, *(("swatch", box) for box in swatches), *(("tile", box) for box in tiles)]
    width, height = figure.get_size_inches() * figure.dpi
    for name, box in boxes:
        assert 0 <= box.x0 < box.x1 <= width, name
        assert 0 <= box.y0 < box.y1 <= height, name
    for (name, box), (other, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), (name, other)


def test_pixels_are_shown_as_they_are(tmp_path):
    black = np.zeros((32, 352), np.uint8)
    image = np.random.default_rng(0).integers(256, size=(32, 352, 3), dtype=np.uint8)
    save(
        example_figure([Example("", image, black, black, None)], classes_of(CAMVID)),
        tmp_path / "examples.png",
    )
    written = np.asarray(Image.open(tmp_path / "examples.png").convert("RGB"))
    # Below the headings and the title, 40 pixels each; the two lowest bits are dropped.
    np.testing.assert_array_equal(written[80:112, 12:364], image & 0xFC)


def test_the_legend_shows_every_class_in_its_colour():
    figure = example_figure([example((30, 40), True)], classes_of(CAMVID))
    faces = [matplotlib.colors.to_rgb(patch.get_facecolor()) for patch in figure.artists]
    shown = [tuple(round(255 * level) for level in face) for face in faces]
    assert shown[:11] == [label.color for label in trained(CAMVID)]


@pytest.mark.parametrize(("calibrated", "columns"), [(True, 5), (False, 4)])
def test_a_column_for_each_thing_shown(tmp_path, calibrated, columns):
    figure = example_figure([example((30, 60), calibrated)] * 3, classes_of(CAMVID))
    headings = [text for text, _ in texts(figure)][:columns]
    assert ("coarse" in headings) == calibrated
    assert headings[-1] == "errors"
    assert len(figure.images) == 3 * columns
    save(figure, tmp_path / "examples.png")
    # As wide as it was laid out: no tile has been resampled.
    assert Image.open(tmp_path / "examples.png").width == 24 + columns * 352 + (columns - 1) * 8


def test_the_same_results_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(training_curve(history(4, 2), "val"), tmp_path / f"{name}.svg")
        save(training_curve(history(4, 2), "val"), tmp_path / f"{name}.png")
        save(example_figure([example((8, 8), True)], classes_of(CAMVID)), tmp_path / f"{name}2.png")
    for ending in (".svg", ".png", "2.png"):
        content = (tmp_path / f"a{ending}").read_bytes()
        assert content == (tmp_path / f"b{ending}").read_bytes()
        assert matplotlib.__version__.encode() not in content
        assert b"dc:date" not in content


@pytest.mark.parametrize(("epochs", "every"), [(1, 1), (2, 2), (40, 10)])
def test_every_axis_of_the_curve_is_labelled_and_none_clipped(epochs, every):
    figure = training_curve(history(epochs, every), "val")
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert labels == [
        ("epoch", "mean loss"),
        ("epoch", "learning rate"),
        ("epoch", "mIoU on val (%)"),
    ]
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.canvas.draw()
    boxes = [axes.get_tightbbox(renderer) for axes in figure.axes]
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height
    assert not any(box.overlaps(other) for box, other in combinations(boxes, 2))
    score = figure.axes[2].lines[0]
    assert score.get_xdata().tolist() == list(range(every, epochs + 1, every))


def test_without_validation_there_is_no_such_panel():
    assert len(training_curve(history(3, 0), None).axes) == 2


def test_the_curve_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "training.csv"
    path.write_text("epoch,loss,lr,val_miou\n1,2.5,0.001,\n2,1.25,5e-05,40.5\n")
    assert read_history(path) == [
        {"epoch": 1, "loss": 2.5, "lr": 0.001, "val_miou": None},
        {"epoch": 2, "loss": 1.25, "lr": 5e-05, "val_miou": 40.5},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        ("epoch,loss,lr,val_miou\n", "holds no epoch"),
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
