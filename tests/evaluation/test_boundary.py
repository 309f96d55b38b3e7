from math import hypot

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from eacnet.evaluation.boundary import (
    boundary_counts,
    dilate,
    edges,
    rings,
    squared_tolerance,
)


def blocky_map(height, width, classes, ignored=0.1):
    """A label map of blocks, some of them ignored, with a little salt."""
    rng = np.random.default_rng(7)
    cells = rng.integers(0, classes, (-(-height // 6), -(-width // 6)))
    cells[rng.random(cells.shape) < ignored] = 255
    labels = cells.repeat(6, 0).repeat(6, 1)[:height, :width]
    salt = rng.random(labels.shape) < 0.02
    labels[salt] = rng.integers(0, classes, salt.sum())
    return labels.astype(np.uint8)


def edge_pixels(labels):
    """The definition, written out: a 4-neighbour of another class, neither of them ignored."""
    height, width = labels.shape
    found = []
    for y in range(height):
        for x in range(width):
            around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            inside = [(v, u) for v, u in around if 0 <= v < height and 0 <= u < width]
            others = {labels[at] for at in inside} - {labels[y, x], 255}
            if labels[y, x] != 255 and others:
                found.append((y, x))
    return found


def as_batch(*maps):
    return torch.from_numpy(np.stack(maps))


def test_edges_by_their_definition():
    labels = [blocky_map(23, 31, 4), blocky_map(23, 31, 2, ignored=0.6)]
    for edge, one in zip(edges(as_batch(*labels)), labels, strict=True):
        assert edge.nonzero().tolist() == [list(at) for at in edge_pixels(one)]


def test_ignored_pixels_are_and_make_no_edge():
    assert edges(torch.tensor([[[1, 255, 2, 2, 3]]])).tolist() == [[[0, 0, 0, 1, 1]]]


@pytest.mark.parametrize("size", [(40, 50), (4, 60), (60, 4), (1, 1)])
def test_rings_by_the_distance_to_every_edge_pixel(size):
    labels = blocky_map(*size, 3)
    labels[:, size[1] // 2 :] = 0  # room for pixels outside all bands
    edge = edges(as_batch(labels))
    ring = rings(edge)[0]
    points = edge_pixels(labels)
    for (y, x), found in np.ndenumerate(ring.numpy()):
        distance = min((hypot(y - v, x - u) for v, u in points), default=np.inf)
        assert found == (distance > 3) + (distance > 5) + (distance > 9)
    if size == (40, 50):
        assert ring.unique().tolist() == [0, 1, 2, 3]


def test_no_edge_leaves_all_bands_empty():
    assert (rings(torch.zeros(1, 5, 5, dtype=torch.bool)) == 3).all()


@pytest.mark.parametrize("squared", [0, 1, 2, 20, 294, 5000])
def test_dilation_is_a_threshold_on_the_distance_transform(squared):
    mask = np.random.default_rng(7).random((2, 48, 37)) < 0.002
    mask[:, 11, 17] = True
    expected = np.stack([distance_transform_edt(~one) for one in mask]) ** 2 < squared + 0.5
    assert np.array_equal(dilate(torch.from_numpy(mask), squared), expected)


def test_tolerance_is_that_of_the_literature():
    assert squared_tolerance(360, 480) == 20  # 4.5 pixels
    assert squared_tolerance(1024, 2048) == int((0.0075 * hypot(1024, 2048)) ** 2)
    assert squared_tolerance(20, 20) == 1


@pytest.mark.parametrize("size", [(30, 40), (20, 290)])
def test_boundary_counts_by_comparing_all_pairs(size):
    classes = 4
    truth = blocky_map(*size, classes)
    prediction = np.roll(truth, (2, 1), (0, 1))
    prediction[prediction == 255] = 1
    prediction[5:20, 5:20] = 3
    counts = boundary_counts(as_batch(prediction).long(), as_batch(truth), classes)[0].tolist()

    tolerance = max(1, 0.0075 * hypot(*size))
    seen = np.where(truth == 255, 255, prediction)
    for index in range(classes):
        predicted = np.array([at for at in edge_pixels(seen) if seen[at] == index])
        true = np.array([at for at in edge_pixels(truth) if truth[at] == index])
        pairs = np.linalg.norm((predicted[:, None] - true[None]).astype(float), axis=-1)
        near = pairs <= tolerance
        expected = [near.any(1).sum(), len(predicted), near.any(0).sum(), len(true)]
        assert counts[index] == expected
        assert 0 < expected[0] < expected[1]


def test_boundary_counts_keep_images_and_classes_apart():
    truth = np.zeros((2, 12, 12), np.uint8)
    truth[0, :, 6:] = 1
    prediction = np.zeros((2, 12, 12), np.int64)
    prediction[1, :, 6:] = 2
    counts = boundary_counts(torch.from_numpy(prediction), torch.from_numpy(truth), 3)
    assert counts.tolist() == [
        [[0, 0, 0, 12], [0, 0, 0, 12], [0, 0, 0, 0]],
        [[0, 12, 0, 0], [0, 0, 0, 0], [0, 12, 0, 0]],
    ]
