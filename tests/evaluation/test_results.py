import json

import numpy as np
import pytest

from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details, metrics, recorded_suspects, suspect_frames

CLASSES = [
    {"name": "road", "category": "flat", "color": [0, 0, 0]},
    {"name": "pavement", "category": "flat", "color": [1, 1, 1]},
    {"name": "sky", "category": "sky", "color": [2, 2, 2]},
    {"name": "train", "category": "vehicle", "color": [3, 3, 3]},
]


def padded(rows):
    return np.pad(np.array(rows), (0, 1))


@pytest.fixture
def counts():
    """Two frames; the class train is nowhere."""
    confusion = np.stack(
        [padded([[4, 1, 0], [0, 2, 0], [1, 0, 2]]), padded([[2, 1, 0]] + 2 * [[0] * 3])]
    )
    coarse = np.stack(
        [padded([[3, 2, 0], [0, 2, 0], [1, 0, 2]]), padded([[1, 2, 0]] + 2 * [[0] * 3])]
    )
    nothing = np.zeros_like(confusion)
    boundary = np.zeros((2, 4, 4), np.int64)
    boundary[0, 0] = [1, 2, 3, 4]  # F1 = 0.6
    boundary[0, 1] = [2, 2, 2, 2]  # F1 = 1
    boundary[1, 0] = [0, 3, 0, 0]  # F1 = 0
    effect = np.array([[[8, 2, 1, 0], [2, 0, 0, 0]], [[2, 1, 1, 0], [1, 1, 0, 1]]])
    return Counts(
        confusion=confusion,
        bands=np.stack([nothing, confusion, confusion], 1),
        boundary=boundary,
        coarse_confusion=coarse,
        coarse_bands=np.stack([nothing, coarse, coarse], 1),
        effect=effect,
    )


def uncalibrated(counts):
    return Counts(counts.confusion, counts.bands, counts.boundary)


def test_headline_figures_by_hand(counts):
    assert metrics(counts, CLASSES) == {
        "miou": round(100 * (6 / 9 + 2 / 4 + 2 / 3) / 3, 4),
        "pixel_accuracy": round(100 * 10 / 13, 4),
        "band_miou_5": round(100 * (6 / 9 + 2 / 4 + 2 / 3) / 3, 4),
        "boundary_f1": 40.0,  # frames: (0.6 + 1) / 2 and 0
        "coarse_miou": round(100 * (4 / 9 + 2 / 6 + 2 / 3) / 3, 4),
    }


def test_details_by_hand(counts):
    full = details(counts, CLASSES)
    iou = {"road": 66.6667, "pavement": 50.0, "sky": 66.6667, "train": None}
    assert full["class_iou"] == full["bands"]["9"]["class_iou"] == iou
    assert full["category_iou"] == {"flat": 90.9091, "sky": 66.6667, "vehicle": None}
    assert full["class_boundary_f1"] == {
        "road": 30.0,
        "pavement": 100.0,
        "sky": None,
        "train": None,
    }
    assert full["confusion"] == [[6, 2, 0, 0], [0, 2, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert full["bands"]["3"]["miou"] is None
    assert full["bands"]["5"]["pixels"] == 13
    assert full["coarse"]["class_iou"]["road"] == round(100 * 4 / 9, 4)
    assert full["coarse"]["bands"]["5"]["pixel_accuracy"] == round(100 * 8 / 13, 4)
    assert full["mean_class_accuracy"] == round(100 * (6 / 8 + 1 + 2 / 3) / 3, 4)
    assert full["category_miou"] == round(100 * (10 / 11 + 2 / 3) / 2, 4)
    assert full["band_miou_9"] == full["bands"]["9"]["miou"]
    assert full["coarse"]["bands"]["5"]["miou"] == full["coarse_miou"] == full["coarse"]["miou"]
    assert full["effect"]["in_band"] == {
        "pixels": 10,
        "changed": 30.0,
        "corrected": 20.0,
        "broken": 0.0,
    }
    assert full["effect"]["outside"] == {
        "pixels": 3,
        "changed": 33.3333,
        "corrected": 0.0,
        "broken": 33.3333,
    }
    assert full["frames"] == 2


def test_results_are_plain_json(counts):
    for result in (metrics(counts, CLASSES), details(counts, CLASSES)):
        assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_without_calibration_nothing_is_said_about_it(counts):
    figures = metrics(uncalibrated(counts), CLASSES)
    assert set(metrics(counts, CLASSES)) - set(figures) == {"coarse_miou"}
    full = details(uncalibrated(counts), CLASSES)
    assert full["coarse"] is None
    assert full["effect"] is None


def test_without_categories_there_is_no_category_score(counts):
    plain = [{**entry, "category": ""} for entry in CLASSES]
    full = details(counts, plain)
    assert full["category_iou"] is None
    assert full["category_miou"] is None


def test_no_edges_leave_band_figures_out(counts):
    blank = Counts(counts.confusion, np.zeros_like(counts.bands), np.zeros_like(counts.boundary))
    assert set(metrics(blank, CLASSES)) == {"miou", "pixel_accuracy"}
    assert details(blank, CLASSES)["band_miou_3"] is None


def test_the_miou_is_also_told_without_doubted_frames(counts):
    suspect = suspect_frames(["other", "b"], ["a", "b"])
    full = details(counts, CLASSES, suspect)
    first = round(100 * (4 / 6 + 2 / 3 + 2 / 3) / 3, 4)
    assert full.pop("without") == {"frames": ["b"], "places": [1], "miou": first}
    assert full == details(counts, CLASSES) == details(counts, CLASSES, suspect_frames(["x"], "ab"))
    assert recorded_suspects(details(counts, CLASSES, suspect)) == suspect
    assert recorded_suspects(full) == {}
