"""What a training's folder says of it."""

import shutil

import pytest
from filelock import FileLock

from eacnet.cells.run import _in_use, _state
from eacnet.layout import CELLS


@pytest.mark.parametrize(
    "text", ["[]", "1", "null", '"id"', "{", "", "[" * 100_000, '{"id": []}', '{"error": 1}']
)
def test_a_damaged_note_of_a_job_is_as_none(here, cell, text):
    each = cell("dab-1", 1)
    assert each.job == {}
    (each.folder / "job.json").write_text(text)
    assert each.job == {}
    assert _state(each, None, True) == "missing"


def test_a_folder_that_is_no_folder_is_as_none(here, cell):
    each = cell("dab-1", 1)
    shutil.rmtree(CELLS)
    CELLS.touch()
    assert (each.job, each.done) == ({}, 0)
    assert not _in_use(CELLS / "synthetic/.lock")


def test_a_lock_is_looked_at_and_not_written(here, monkeypatch):
    path = here / ".lock"
    assert not _in_use(path)
    assert not path.exists()
    with FileLock(path):
        assert _in_use(path)
        # As another user, who may only read it.
        monkeypatch.setattr("os.open", lambda *_, **__: pytest.fail("opened for writing"))
        assert _in_use(path)
        monkeypatch.undo()
    assert not _in_use(path)
