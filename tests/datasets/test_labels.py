import numpy as np
from cityscapesscripts.helpers.labels import labels as official

from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.cityscapes import LABELS as CITYSCAPES
from eacnet.datasets.labels import IGNORED, lookup, trained


def test_cityscapes_table_equals_the_official_one():
    theirs = {label.id: label for label in official if label.id >= 0}
    assert [label.id for label in CITYSCAPES] == sorted(theirs)
    for label in CITYSCAPES:
        their = theirs[label.id]
        train_id = IGNORED if their.trainId in (255, -1) else their.trainId
        assert (label.name, label.category, label.color) == (
            their.name,
            their.category,
            their.color,
        )
        assert label.train_id == train_id


def test_camvid_keeps_its_ids_and_ignores_void():
    train_ids, known = lookup(CAMVID)
    assert train_ids[:11].tolist() == list(range(11))
    assert train_ids[11] == IGNORED
    assert np.flatnonzero(known).tolist() == list(range(12))
    assert len(trained(CAMVID)) == 11
