import numpy as np
import pytest
import torch

from eacnet.errors import InputError
from eacnet.evaluation.confusion import (
    confusion_matrices,
    confusion_matrix,
    grouped_confusion,
)


def random_maps(shape, classes, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, shape).astype(np.uint8)
    truth[rng.random(shape) < 0.2] = 255
    return torch.from_numpy(rng.integers(0, classes, shape)), torch.from_numpy(truth)


def counted_one_by_one(prediction, truth, classes):
    matrix = np.zeros((classes, classes), np.int64)
    for predicted, true in zip(
        prediction.flatten().tolist(), truth.flatten().tolist(), strict=True
    ):
        if true != 255:
            matrix[true, predicted] += 1
    return matrix


def test_counts_pixel_by_pixel_and_skips_ignored_ones():
    prediction, truth = random_maps((3, 9, 7), 5)
    matrix = confusion_matrix(prediction, truth, 5)
    assert matrix.dtype == torch.int64
    assert np.array_equal(matrix, counted_one_by_one(prediction, truth, 5))


def test_rows_are_truth():
    matrix = confusion_matrix(torch.tensor([2]), torch.tensor([0]), 3)
    assert matrix.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_per_image_form_counts_each_image_alone():
    prediction, truth = random_maps((4, 6, 5), 3)
    matrices = confusion_matrices(prediction, truth, 3)
    for matrix, predicted, true in zip(matrices, prediction, truth, strict=True):
        assert np.array_equal(matrix, counted_one_by_one(predicted, true, 3))


def test_groups_are_counted_apart():
    prediction, truth = random_maps((2, 8, 8), 4)
    groups = torch.arange(128).view(2, 8, 8) % 3
    matrices = grouped_confusion(prediction, truth, 4, groups, 3)
    for group, matrix in enumerate(matrices):
        inside = groups == group
        assert np.array_equal(matrix, counted_one_by_one(prediction[inside], truth[inside], 4))


def test_all_ignored_counts_nothing():
    ignored = torch.full((2, 3), 255, dtype=torch.uint8)
    assert confusion_matrix(torch.zeros(2, 3, dtype=torch.int64), ignored, 4).sum() == 0


def test_label_out_of_range_is_refused():
    with pytest.raises(InputError, match=r"hold class 4, but there are 4 classes"):
        confusion_matrix(torch.tensor([0, 1]), torch.tensor([4, 1]), 4)


@pytest.mark.gpu
def test_cuda_counts_as_the_cpu():
    prediction, truth = random_maps((2, 64, 64), 19)
    matrix = confusion_matrices(prediction.cuda(), truth.cuda(), 19)
    assert matrix.is_cuda
    assert torch.equal(matrix.cpu(), confusion_matrices(prediction, truth, 19))
