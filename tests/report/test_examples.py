import numpy as np
import pytest
import torch

from eacnet.data.store import Split
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.scores import mean_iou
from eacnet.models import ModelCard
from eacnet.report.figures.examples import (
    BROKEN,
    CORRECTED,
    NOT_SCORED,
    WRONG,
    choose,
    colored,
    error_map,
    key,
    make_examples,
)

NAN = float("nan")


def test_the_rule_on_counts_by_hand():
    right, half, wrong = [[2, 0], [0, 2]], [[2, 0], [2, 0]], [[0, 2], [2, 0]]  # 1, 1/4, 0
    blank = [[0, 0], [0, 0]]
    miou = mean_iou(np.array([right, half, blank, wrong, half]))
    assert choose(miou, 3) == [(1, 3), (3, 4), (4, 0)]
    assert choose(miou, 2) == [(1, 3), (4, 0)]
    assert choose(miou, 1) == [(1, 3)]
    assert choose(miou, 9) == [(1, 3), (2, 1), (3, 4), (4, 0)]


@pytest.mark.parametrize("number", [2, 3, 5, 6])
def test_ranks_are_evenly_spaced(number):
    ranks = [rank for rank, _ in choose(np.linspace(1, 0, 233), number)]
    steps = np.diff(ranks)
    assert (ranks[0], ranks[-1]) == (1, 233)
    assert steps.max() - steps.min() <= 1
    if number % 2:
        assert ranks[number // 2] == 117  # the median


def test_what_each_colour_of_the_errors_means():
    truth = np.array([[0, 0, 0, 0, 255]], np.uint8)
    coarse = np.array([[0, 1, 0, 1, 1]], np.uint8)
    after = np.array([[0, 2, 1, 0, 1]], np.uint8)
    image = np.full((1, 5, 3), 255, np.uint8)
    dim = (110, 110, 110)
    painted = error_map(image, truth, after, coarse)
    assert list(map(tuple, painted[0])) == [dim, WRONG, BROKEN, CORRECTED, NOT_SCORED]
    plain = error_map(image, truth, after)
    assert list(map(tuple, plain[0])) == [dim, WRONG, WRONG, dim, NOT_SCORED]
    used = {color for _, color in key(calibrated=True)}
    assert used == {WRONG, BROKEN, CORRECTED, NOT_SCORED}
    assert {color for _, color in key(calibrated=False)} == {WRONG, NOT_SCORED}


def test_classes_are_painted_and_ignored_pixels_black():
    colors = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)
    assert colored(np.array([[1, 0, 255]], np.uint8), colors).tolist() == [
        [[40, 50, 60], [10, 20, 30], [0, 0, 0]]
    ]


class RedIsTheClass(torch.nn.Module):
    """Predicts the red channel, and after its calibration the green one."""

    num_classes, stride = 3, 1
    card = ModelCard(classes=[], mean=[5.0, 5.0, 5.0], std=[1.0] * 3)

    def __init__(self, calibration):
        super().__init__()
        self.calibration_name = calibration

    def scores(self, images):
        coarse, calibrated = (
            torch.nn.functional.one_hot((images[:, channel] + 5).long(), 3).movedim(-1, 1).float()
            for channel in (0, 1)
        )
        return (coarse, calibrated) if self.calibration_name != "none" else (coarse, coarse)

    def upsample(self, scores, size):
        assert scores.shape[-2:] == size
        return scores


def fake_split():
    random = np.random.default_rng(0)
    images = random.integers(3, size=(3, 4, 5, 3), dtype=np.uint8)
    return Split(images, random.integers(3, size=(3, 4, 5), dtype=np.uint8), ["a", "b", "c"])


def fake_counts(calibrated):
    confusion = np.array([np.diag([4, 4]), [[4, 0], [4, 0]], [[0, 4], [4, 0]]])
    coarse = confusion[::-1] if calibrated else None
    return Counts(confusion, confusion[:, None], confusion, coarse, coarse, coarse)


def test_examples_of_a_calibrated_network():
    split = fake_split()
    shown = make_examples(RedIsTheClass("pooled"), split, fake_counts(True), 2, "cpu")
    assert [example.title.split("     ") for example in shown] == [
        ["c", "mIoU 0.0 % (coarse 100.0 %)", "rank 1 of 3 (worst)"],
        ["a", "mIoU 100.0 % (coarse 0.0 %)", "rank 3 of 3 (best)"],
    ]
    for example, index in zip(shown, (2, 0), strict=True):
        np.testing.assert_array_equal(example.image, split.images[index])
        np.testing.assert_array_equal(example.truth, split.labels[index])
        np.testing.assert_array_equal(example.coarse, split.images[index][..., 0])
        np.testing.assert_array_equal(example.prediction, split.images[index][..., 1])


def test_without_calibration_there_is_no_coarse_prediction():
    shown = make_examples(RedIsTheClass("none"), fake_split(), fake_counts(False), 3, "cpu")
    assert [example.coarse for example in shown] == [None] * 3
    assert shown[1].title == "b     mIoU 25.0 %     rank 2 of 3"
