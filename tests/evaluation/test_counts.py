import zipfile

import numpy as np
import pytest

from eacnet.errors import InputError
from eacnet.evaluation.counts import Counts, join


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
    counts.save(tmp_path / "a.npz")
    counts.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {1980}
    again = Counts.load(tmp_path / "a.npz")
    for name, array in vars(counts).items():
        np.testing.assert_array_equal(getattr(again, name), array, strict=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_counts_without_calibration_survive_the_file(tmp_path):
    full = some_counts(2)
    Counts(full.confusion, full.bands, full.boundary).save(tmp_path / "a.npz")
    again = Counts.load(tmp_path / "a.npz")
    assert again.effect is again.coarse_confusion is again.coarse_bands is None
    assert len(again) == 2


def test_join_keeps_the_order():
    parts = [some_counts(2, 1), some_counts(1, 2)]
    whole = join(parts)
    assert len(whole) == 3
    for name, array in vars(whole).items():
        np.testing.assert_array_equal(array[:2], getattr(parts[0], name))
        np.testing.assert_array_equal(array[2:], getattr(parts[1], name))


def test_a_missing_or_wrong_file_is_one_line(tmp_path):
    path = tmp_path / "counts.json"
    with pytest.raises(InputError, match="is missing"):
        Counts.load(path)
    np.savez(path, other=np.zeros(2))
    with pytest.raises(InputError, match="holds no counts"):
        Counts.load(path)
    for content in (b"", b"text", b"PK\x03\x04half"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="holds no counts"):
            Counts.load(path)
