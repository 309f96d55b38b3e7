"""What `eacnet export` replaces; the formats themselves: tests/inference/test_export.py."""

import pytest

from eacnet.inference import export

METADATA = dict.fromkeys(("backbone", "calibration", "input", "output", "sizes"), "")


@pytest.fixture
def write(eacnet, here, weights, monkeypatch):
    """Return a function that exports to m.xml, without OpenVINO: code, errors, what was written."""
    written = []

    def take(model, path, signature):
        written.append(path.name)
        return METADATA

    monkeypatch.setattr(export, "export_model", take)

    def run():
        code, _, err = eacnet("export", weights, "m.xml")
        return code, err, written

    return run


def test_another_programs_bin_is_never_overwritten(here, write):
    (here / "m.bin").write_bytes(b"firmware")
    code, err, written = write()
    assert (code, written) == (1, [])
    assert err == (
        "error: m.bin stands there without m.xml and would be overwritten; move it away, or name"
        " another target\n"
    )


def test_its_own_two_files_are_replaced(here, write):
    (here / "m.bin").write_bytes(b"weights")
    (here / "m.xml").write_text("<net/>")
    assert write() == (0, "", ["m.xml"])
