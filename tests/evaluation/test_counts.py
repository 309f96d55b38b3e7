import base64
import json
import zlib

import numpy as np
import pytest

from eacnet.errors import InputError
from eacnet.evaluation.counts import Counts


def some_counts(frames, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {
        "confusion": (3, 3),
        "bands": (3, 3, 3),
        "boundary": (3, 4),
        "coarse_confusion": (3, 3),
        "coarse_bands": (3, 3, 3),
        "effect": (2, 4),
    }
    return Counts(**{name: rng.integers(0, 99, (frames, *s)) for name, s in shapes.items()})


def test_counts_survive_the_file_and_its_bytes_repeat(tmp_path):
    counts = some_counts(4)
    counts.save(tmp_path / "a.json")
    counts.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    # The documented form, read by hand: little-endian int64, zlib, base64.
    packed = json.loads((tmp_path / "a.json").read_text())["effect"]
    raw = zlib.decompress(base64.b64decode(packed["int64"]))
    assert np.array_equal(np.frombuffer(raw, "<i8").reshape(packed["shape"]), counts.effect)
    again = Counts.load(tmp_path / "a.json")
    for name, array in vars(counts).items():
        np.testing.assert_array_equal(getattr(again, name), array, strict=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_counts_without_calibration_survive_the_file(tmp_path):
    full = some_counts(2)
    Counts(full.confusion, full.bands, full.boundary).save(tmp_path / "a.json")
    again = Counts.load(tmp_path / "a.json")
    assert again.effect is again.coarse_confusion is again.coarse_bands is None
    assert len(again) == 2


def test_what_is_put_keeps_the_order():
    parts = [some_counts(2, 1), some_counts(1, 2)]
    whole = parts[0].room(sum(map(len, parts)))
    place = 0
    for part in parts:
        whole.put(place, part)
        place += len(part)
    assert len(whole) == 3
    for name, array in vars(whole).items():
        np.testing.assert_array_equal(array[:2], getattr(parts[0], name))
        np.testing.assert_array_equal(array[2:], getattr(parts[1], name))


def test_a_missing_or_wrong_file_is_one_line(tmp_path):
    path = tmp_path / "counts.json"
    with pytest.raises(InputError, match="is missing"):
        Counts.load(path)
    some_counts(2).save(path)
    whole = path.read_text()
    cut = whole.replace('"shape": [2, 3, 3]', '"shape": [2, 3, 4]')
    garbled = whole.replace('"int64": "', '"int64": "!')
    for content in ("", "text", "[]", "{}", '{"other": 1}', whole[:99], cut, garbled):
        path.write_text(content)
        with pytest.raises(InputError, match=r"holds no counts|is no valid JSON"):
            Counts.load(path)
