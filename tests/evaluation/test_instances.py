"""iIoU against the functions of the official evaluation."""

import copy

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels as official_labels
from PIL import Image

from eacnet.datasets.cityscapes import INSTANCE_SIZES, INSTANCES, LABELS
from eacnet.datasets.labels import lookup, trained
from eacnet.evaluation.instances import InstanceCounts

TRAIN_IDS, _ = lookup(LABELS)


@pytest.fixture
def package(monkeypatch):
    """The official script, whose command numpy 2.4 broke: it calls a function that is gone."""
    if not hasattr(np, "in1d"):
        monkeypatch.setattr(np, "in1d", np.isin, raising=False)
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling

    return evalPixelLevelSemanticLabeling


@pytest.fixture
def frames():
    """Label ids, instance ids and predictions (label ids), 3 frames each.

    All labels but trains and trucks in the truth; instances of all sizes, and groups, which have
    no instance number; caravans and trailers too, which are not scored. Trucks are predicted only,
    motorcycles never, trains nowhere.
    """
    random = np.random.default_rng(5)
    true = [x.id for x in official_labels if x.id >= 0 and x.name not in ("truck", "train")]
    found = [x.id for x in trained(LABELS) if x.name not in ("motorcycle", "train")]
    result = []
    for _ in range(3):
        labels = random.choice(true, (12, 20)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
        number = random.integers(0, 12, (16, 20)).repeat(3, 0).repeat(4, 1)
        things = np.isin(labels, [x.id for x in official_labels if x.hasInstances])
        whole = things & (number < 9)
        instances = np.where(whole, 1000 * labels.astype(int) + number, labels).astype(np.uint16)
        guess = random.choice(found, labels.shape).astype(np.uint8)
        right = (random.random(labels.shape) < 0.7) & np.isin(labels, found)
        result.append((labels, instances, np.where(right, labels, guess)))
    return result


def test_class_and_category_iiou_are_those_of_cityscapes(package, frames, tmp_path):
    args = copy.copy(package.args)
    args.JSONOutput, args.quiet = False, True
    paths = [[], []]
    counts, confusion = InstanceCounts(LABELS, INSTANCE_SIZES, INSTANCES), 0
    for number, (labels, instances, guess) in enumerate(frames):
        for kind, pixels in (("labelIds", labels), ("instanceIds", instances), ("found", guess)):
            Image.fromarray(pixels).save(tmp_path / f"{number}_{kind}.png")
        paths[0].append(str(tmp_path / f"{number}_found.png"))
        paths[1].append(str(tmp_path / f"{number}_labelIds.png"))
        counts.add(TRAIN_IDS[guess], instances)
        truth, found = (TRAIN_IDS[ids].astype(np.int64) for ids in (labels, guess))
        pairs = (truth * 19 + found)[truth < 255]
        confusion += np.bincount(pairs, minlength=361).reshape(19, 19)
    theirs = package.evaluateImgLists(*paths, args)
    for mine, other in (
        (counts.class_iou(confusion), theirs["classInstScores"]),
        (counts.category_iou(confusion), theirs["categoryInstScores"]),
    ):
        expected = {name: other[name] for name in mine}
        assert mine == pytest.approx(expected, abs=1e-12, nan_ok=True)
        left_out = {name: value for name, value in other.items() if name not in mine}
        assert np.isnan(list(left_out.values())).all()
    assert np.isnan(counts.class_iou(confusion)["train"])
    assert counts.class_iou(confusion)["truck"] == 0


def test_a_small_instance_weighs_as_much_as_a_large_one():
    """Half of a car of 2 pixels and none of one of 8: a quarter of the instances is found."""
    instances = np.array([[26000] * 2 + [26001] * 8], np.uint16)
    prediction = np.array([[13] + [0] * 9], np.uint8)
    counts = InstanceCounts(LABELS, INSTANCE_SIZES, INSTANCES)
    counts.add(prediction, instances)
    confusion = np.zeros((19, 19), np.int64)
    confusion[13, [13, 0]] = 1, 9
    assert counts.class_iou(confusion)["car"] == pytest.approx(0.25, abs=1e-12)
    assert counts.category_iou(confusion)["vehicle"] == pytest.approx(0.25, abs=1e-12)
