import numpy as np
import pytest
from PIL import Image, ImageFilter

from eacnet.predict.overlay import (
    EDGE,
    draw_legend,
    edge_lines,
    overlay,
    save_label_map,
    side_by_side,
)

COLORS = np.array([[128, 64, 128], [0, 0, 142], [250, 170, 30]], np.uint8)


def test_a_label_map_keeps_ids_and_shows_the_colours(tmp_path):
    labels = np.array([[0, 1], [2, 1]], np.uint8)
    save_label_map(labels, COLORS, tmp_path / "x.png")
    image = Image.open(tmp_path / "x.png")
    assert image.mode == "P"
    np.testing.assert_array_equal(np.array(image), labels)
    np.testing.assert_array_equal(np.array(image.convert("RGB")), COLORS[labels])


def test_an_overlay_is_half_image_half_colour_with_lines_between_classes():
    image = np.random.default_rng(0).integers(256, size=(40, 60, 3), dtype=np.uint8)
    labels = np.zeros((40, 60), np.uint8)
    labels[:, 30:] = 1
    painted = overlay(image, labels, COLORS)
    line = edge_lines(labels)
    assert np.flatnonzero(line.any(0)).tolist() == [29]
    assert (painted[line] == EDGE).all()
    expected = (image.astype(float) + COLORS[labels]) / 2
    np.testing.assert_allclose(painted[~line], expected[~line], atol=1)


@pytest.mark.parametrize(("height", "thickness"), [(100, 1), (960, 2), (1440, 3)])
def test_lines_are_thicker_on_larger_images(height, thickness):
    labels = np.zeros((height, height), np.uint8)
    labels[height // 2 :] = 1
    lines = edge_lines(labels)
    assert lines.sum() == thickness * height
    assert lines[:, 0].sum() == thickness
    assert lines[height // 2 - 1].all()


def test_lines_run_wherever_two_classes_meet():
    labels = np.random.default_rng(0).integers(3, size=(30, 40)).astype(np.uint8)
    labels = labels.repeat(3, 0).repeat(3, 1)
    # Pillow's maximum over a 3x3 window differs from the pixel where a greater class is near.
    near = np.array(Image.fromarray(labels).filter(ImageFilter.MaxFilter(3))) != labels
    near |= np.array(Image.fromarray(labels).filter(ImageFilter.MinFilter(3))) != labels
    lines = edge_lines(labels)
    assert not lines[~near].any()
    across = labels[:, 1:] != labels[:, :-1]
    assert (lines[:, :-1][across]).all()


def test_no_class_no_line():
    assert not edge_lines(np.full((1, 5), 2, np.uint8)).any()


@pytest.mark.parametrize("width", [9, 64, 480, 1300])
def test_side_by_side_with_a_legend_of_every_class(width):
    image = np.zeros((20, width, 3), np.uint8)
    classes = [{"name": f"class {i}", "color": [40 * i, 7, 250 - 40 * i]} for i in range(6)]
    both = side_by_side(image, image + 9, draw_legend(classes, 2 * width + 8))
    assert both.shape[1] == 2 * width + 8
    assert both.shape[0] > 20
    if width > 200:
        shown = {tuple(color) for color in both[20:].reshape(-1, 3).tolist()}
        assert {tuple(entry["color"]) for entry in classes} <= shown


@pytest.mark.parametrize("letter", "äßéñçøłžşЖΩ")
def test_names_in_other_languages_are_written_with_their_letters(letter):
    pytest.importorskip("matplotlib")
    drawn, missing = (
        draw_legend([{"name": name, "color": (9, 9, 9)}], 300) for name in (letter, "\u0378")
    )
    assert not np.array_equal(drawn, missing)


def test_a_long_name_is_shortened_to_the_width():
    legend = draw_legend([{"name": "vegetation " * 20, "color": (9, 9, 9)}], 300)
    assert (legend[:, -9:] == 255).all()
    assert (legend[:, 200:280] < 99).any()
