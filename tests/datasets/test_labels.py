import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels as official

from eacnet.datasets.labels import CAMVID, CITYSCAPES, IGNORED, lookup, read_table, trained
from eacnet.errors import InputError


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


def test_a_table_is_read_in_the_order_of_its_rows(tmp_path):
    path = tmp_path / "classes.csv"
    path.write_text("id,name,red,green,blue\n9,grass,0,255,0\n4,void,0,0,0\n2,water,0,0,255\n")
    table = read_table(path)
    assert [(label.id, label.train_id) for label in table] == [(9, 0), (4, IGNORED), (2, 1)]
    assert [label.name for label in trained(table)] == ["grass", "water"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,name,red,green\n", "missing column blue"),
        ("id,name,red,green,blue\n1,a,0,0,x\n", "line 2: expected whole numbers"),
        ("id,name,red,green,blue\n1,a,0,0,256\n", "outside 0..255"),
        ("id,name,red,green,blue\n1,a,0,0,0\n1,b,0,0,0\n", "id 1 is there twice"),
        ("id,name,red,green,blue\n1,a,0,0,0\n2,a,0,0,0\n", "'a' is there twice"),
        ("id,name,red,green,blue\n1,a,0,0,0\n", "1 classes"),
    ],
)
def test_a_bad_table_gets_one_line(tmp_path, text, expected):
    path = tmp_path / "classes.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=expected):
        read_table(path)
