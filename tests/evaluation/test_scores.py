import copy

import numpy as np
import pytest
import torch
from PIL import Image

from eacnet.datasets.cityscapes import LABELS as CITYSCAPES
from eacnet.datasets.labels import lookup, trained
from eacnet.evaluation import scores
from eacnet.evaluation.confusion import confusion_matrix

CLASSES = trained(CITYSCAPES)
CATEGORIES = [label.category for label in CLASSES]


@pytest.fixture(scope="module")
def label_maps():
    """Two frames of label ids: all values of the table in the truth but trains and trucks; no
    motorcycle anywhere, trucks only predicted, trains never predicted either."""
    rng = np.random.default_rng(3)
    absent = {"truck", "train", "motorcycle"}
    true_ids = [label.id for label in CITYSCAPES if label.name not in absent]
    predicted_ids = [label.id for label in CLASSES if label.name not in absent - {"truck"}]
    truth = rng.choice(true_ids, (2, 64, 96)).astype(np.uint8)
    guess = rng.choice(predicted_ids, (2, 64, 96)).astype(np.uint8)
    train_ids = lookup(CITYSCAPES)[0]
    right = (rng.random(truth.shape) < 0.7) & (train_ids[truth] != 255)
    return np.where(right, truth, guess), truth


@pytest.fixture(scope="module")
def official(label_maps, tmp_path_factory):
    package = pytest.importorskip("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")
    folder = tmp_path_factory.mktemp("cityscapes")
    paths = {"prediction": [], "truth": []}
    for kind, maps in zip(paths, label_maps, strict=True):
        for i, frame in enumerate(maps):
            paths[kind].append(str(folder / f"{kind}_{i}_labelIds.png"))
            Image.fromarray(frame).save(paths[kind][-1])
    args = copy.copy(package.args)
    args.evalInstLevelScore, args.JSONOutput, args.quiet = False, False, True
    return package.evaluateImgLists(paths["prediction"], paths["truth"], args)


@pytest.fixture(scope="module")
def confusion(label_maps):
    train_ids = lookup(CITYSCAPES)[0]
    prediction, truth = (torch.from_numpy(train_ids[ids]) for ids in label_maps)
    return confusion_matrix(prediction, truth, len(CLASSES)).numpy()


def test_class_iou_is_that_of_cityscapes(confusion, official):
    iou = scores.class_iou(confusion)
    expected = [official["classScores"][label.name] for label in CLASSES]
    np.testing.assert_allclose(iou, expected, rtol=0, atol=1e-12)
    names = [label.name for label in CLASSES]
    assert np.isnan(iou[names.index("train")])
    assert iou[names.index("truck")] == 0


def test_mean_iou_is_that_of_cityscapes(confusion, official):
    assert scores.mean_iou(confusion) == pytest.approx(official["averageScoreClasses"], abs=1e-12)


def test_category_iou_is_that_of_cityscapes(confusion, official):
    by_category = scores.category_iou(confusion, CATEGORIES)
    expected = {k: v for k, v in official["categoryScores"].items() if k != "void"}
    assert by_category == pytest.approx(expected, abs=1e-12)
    average = scores.mean_of_present(np.array(list(by_category.values())))
    assert average == pytest.approx(official["averageScoreCategories"], abs=1e-12)


def test_accuracies_in_closed_form():
    confusion = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    assert scores.pixel_accuracy(confusion) == 9 / 12
    np.testing.assert_array_equal(scores.class_accuracy(confusion), [6 / 8, 3 / 4, np.nan])


def test_a_class_that_is_only_predicted_counts_as_zero():
    confusion = np.array([[8, 0, 2], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(scores.class_iou(confusion), [0.8, np.nan, 0])
    assert scores.mean_iou(confusion) == 0.4


def test_nothing_counted_is_nan_without_a_warning(recwarn):
    empty = np.zeros((3, 3), np.int64)
    assert np.isnan(scores.mean_iou(empty))
    assert np.isnan(scores.pixel_accuracy(empty))
    assert np.isnan(scores.boundary_f1(np.zeros((3, 4), np.int64)))
    assert not recwarn.list


def test_leading_dimensions_are_scored_one_by_one():
    stack = np.random.default_rng(0).integers(0, 9, (5, 2, 4, 4))
    groups = ["a", "b", "a", "c"]
    for score in (scores.mean_iou, scores.pixel_accuracy, scores.class_accuracy, scores.class_iou):
        expected = [[score(one) for one in row] for row in stack]
        np.testing.assert_array_equal(score(stack), expected)
    for name, iou in scores.category_iou(stack, groups).items():
        expected = [[scores.category_iou(one, groups)[name] for one in row] for row in stack]
        np.testing.assert_array_equal(iou, expected)


def test_boundary_f1_in_closed_form():
    # precision 1/2, recall 3/4; only predicted; only true; in neither; in both, nothing matched
    counts = np.array([[5, 10, 6, 8], [0, 4, 0, 0], [0, 0, 0, 4], [0, 0, 0, 0], [0, 3, 0, 2]])
    expected = [2 * 0.5 * 0.75 / 1.25, 0, 0, np.nan, 0]
    np.testing.assert_allclose(scores.class_boundary_f1(counts), expected)
    assert scores.boundary_f1(counts) == pytest.approx(0.6 / 4)
