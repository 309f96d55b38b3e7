"""What a training's folder says of it."""

import pytest

from eacnet.cells.run import _state


@pytest.mark.parametrize(
    "text", ["[]", "1", "null", '"id"', "{", "", "[" * 100_000, '{"id": []}', '{"error": 1}']
)
def test_a_damaged_note_of_a_job_is_as_none(here, cell, text):
    each = cell("dab-1", 1)
    assert each.job == {}
    (each.folder / "job.json").write_text(text)
    assert each.job == {}
    assert _state(each, None, True) == "missing"
