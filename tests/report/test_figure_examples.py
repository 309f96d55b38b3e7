import matplotlib
import matplotlib.colors
import numpy as np
import pytest
from drawn import assert_apart, texts
from matplotlib.transforms import Bbox
from PIL import Image

from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.cityscapes import LABELS as CITYSCAPES
from eacnet.datasets.labels import trained
from eacnet.report.figures.examples import Example
from eacnet.report.figures.frames import example_figure
from eacnet.report.figures.style import save


def classes_of(table):
    return [{"name": label.name, "color": label.color} for label in trained(table)]


def example(shape, calibrated, title="frame     mIoU 50.0 %     rank 1 of 9 (worst)"):
    random = np.random.default_rng(0)
    image = random.integers(256, size=(*shape, 3), dtype=np.uint8)
    maps = random.integers(3, size=(3, *shape), dtype=np.uint8)
    return Example(title, image, maps[0], maps[1], maps[2] if calibrated else None)


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
    assert_apart(figure, boxes)


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
        save(example_figure([example((8, 8), True)], classes_of(CAMVID)), tmp_path / f"{name}.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
