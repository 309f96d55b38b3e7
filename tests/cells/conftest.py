"""Cells whose training is a stand-in of a few lines: what is tested is how they are started."""

import sys
from pathlib import Path

import pytest

from eacnet.cells.cell import Cell
from eacnet.layout import Run

# Every Python that is started reads it; it takes the place of `python -m eacnet.cells.train`.
STAND_IN = """
import os, pathlib, sys, time
if "eacnet.cells.train" in sys.orig_argv:
    folder, name = pathlib.Path(sys.orig_argv[-2]), sys.orig_argv[-1]
    cores, env = sorted(os.sched_getaffinity(0)), os.environ
    print("saw", env["CUDA_VISIBLE_DEVICES"] or "-", *cores, env["OMP_NUM_THREADS"], flush=True)
    begin = time.monotonic()
    pathlib.Path(name + ".started").touch()
    while pathlib.Path("hold").exists():
        time.sleep(0.05)
    time.sleep(0.3)
    print("took", begin, time.monotonic(), flush=True)
    if name.startswith("bad"):
        print("error: the loss is nan in epoch 1", file=sys.stderr)
        os._exit(1)
    if not name.startswith("other"):
        os.makedirs(".cache/trained/" + folder.name.rpartition("-")[2] + "00000000")
    os._exit(0)
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder to train in."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(STAND_IN)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    paths = [str(tmp_path / "site"), *(path for path in sys.path if path)]
    monkeypatch.setenv("PYTHONPATH", ":".join(paths))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path / "project"


@pytest.fixture
def cell():
    """Return a function: name, number -> a cell whose folder is made."""

    def make(name: str, number: int) -> Cell:
        run = Run(name, "dab", "none", number, "synthetic", "")
        cell = Cell(run, f"{number:08x}00000000", 2)
        cell.folder.mkdir(parents=True)
        return cell

    return make
