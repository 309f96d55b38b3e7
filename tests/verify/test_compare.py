import copy

import numpy as np
import pytest

from eacnet.errors import InputError
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details
from eacnet.verify.compare import (
    CLASS_TOLERANCE,
    TOLERANCE,
    Comparison,
    class_entries,
    compare_rerun,
)

CLASSES = [{"name": name, "category": ""} for name in ("road", "sky", "train")]


def counts():
    confusion = np.array([[[400, 100, 0], [0, 200, 0], [0, 0, 0]]] * 2)
    boundary = np.ones((2, 3, 4), np.int64)
    return Counts(confusion, np.stack([confusion // 2] * 3, 1), boundary)


def test_every_figure_of_either_side_is_compared():
    result = Comparison()
    stored = {"a": 1.5, "b": {"c": [1, 2, None]}, "d": "dab", "e": True}
    result.add("x.json", stored, {**stored, "new": 7})
    assert (result.figures, result.largest) == (7, 0.0)
    assert [str(one) for one in result.differences] == [
        "x.json new: nothing in the report, 7 rebuilt"
    ]


@pytest.mark.parametrize(
    ("rebuilt", "text"),
    [
        ({"a": [1, 2.25]}, "x.json a.1: 2.0 in the report, 2.25 rebuilt (+0.25)"),
        ({"a": [1, None]}, "x.json a.1: 2.0 in the report, None rebuilt"),
        ({"a": [1]}, "x.json a.1: 2.0 in the report, nothing rebuilt"),
    ],
)
def test_a_difference_names_its_place_and_size(rebuilt, text):
    result = Comparison()
    result.add("x.json", {"a": [1, 2.0]}, rebuilt)
    assert [str(one) for one in result.differences] == [text]


def test_a_value_that_became_defined_is_a_difference():
    result = Comparison()
    result.add("x.json", {"class_iou": {"train": None}}, {"class_iou": {"train": 0.0}}, exact=False)
    assert len(result.differences) == 1
    assert not result.within_tolerance


@pytest.mark.parametrize(
    ("keys", "limit"),
    [
        (("miou",), TOLERANCE),
        (("bands", "5", "miou"), TOLERANCE),
        (("boundary_f1",), TOLERANCE),
        (("class_iou", "sky"), CLASS_TOLERANCE),
        (("bands", "5", "class_iou", "sky"), CLASS_TOLERANCE),
        (("class_boundary_f1", "sky"), CLASS_TOLERANCE),
        (("bands", "5", "pixels"), 0),
        (("frames",), 0),
    ],
)
def test_on_another_device_each_figure_has_its_tolerance(keys, limit):
    evaluation = {**details(counts(), CLASSES), "provenance": {"device": "another"}}
    for deviation, differences in ((0.9 * limit, 0), (1.1 * limit + 1e-3, 1)):
        stored = copy.deepcopy(evaluation)
        *parents, last = keys
        node = stored
        for key in parents:
            node = node[key]
        node[last] += deviation
        loose = compare_rerun(stored, counts(), CLASSES, exact=False)
        assert len(loose.differences) == differences
        strict = compare_rerun(stored, counts(), CLASSES, exact=True)
        assert len(strict.differences) == (deviation > 0)
        assert strict.within_tolerance == (differences == 0)


def test_pixels_counted_otherwise_are_a_share_of_all():
    evaluation = details(counts(), CLASSES)
    moved = counts()
    moved.confusion[0, 0] += [-7, 7, 0]  # 7 of 1400 pixels: 0.5 %
    result = compare_rerun(evaluation, moved, CLASSES, exact=False)
    shares = [one.rebuilt for one in result.differences if "otherwise" in one.keys[0]]
    assert shares == [0.5]


def test_categories_come_from_the_class_table():
    names = [entry["name"] for entry in CLASSES]
    evaluation = {"class_iou": dict.fromkeys(names), "category_iou": None}
    assert class_entries("camvid", evaluation) == CLASSES
    evaluation["category_iou"] = {"flat": 1.0}
    with pytest.raises(InputError, match="categories of folder's classes are not known here"):
        class_entries("folder", evaluation)
