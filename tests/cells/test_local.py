"""Trainings by submitit's local executor, in processes of their own."""

import os
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from eacnet.cells.job import Job
from eacnet.cells.local import train_here
from eacnet.cells.shares import Share
from eacnet.cells.view import View

CORES = sorted(os.sched_getaffinity(0))
SHARES = [Share(("5",), (CORES[0],), 2), Share(("6",), (CORES[-1],), 2)]


def saw(cell) -> list[str]:
    (line,) = [line for line in cell.log.read_text().splitlines() if line.startswith("saw")]
    return line.split()[1:]


def times(cell) -> tuple[float, float]:
    (line,) = [line for line in cell.log.read_text().splitlines() if line.startswith("took")]
    return tuple(map(float, line.split()[1:]))


def test_all_are_trained_each_alone_on_its_share_and_one_that_fails_stops_none(here, cell, capsys):
    these = [cell("bad-1", 1), cell("dab-2", 2), cell("other-3", 3), cell("dab-4", 4)]
    with View(these) as view:
        train_here(these, SHARES, here / "jobs", view)
    assert view.failed == {
        "bad-1": "the loss is nan in epoch 1",
        "other-3": "code or data changed since it was planned; run the same command again",
    }
    assert {path.name[:8] for path in (here / ".cache/trained").iterdir()} == {
        "00000002",
        "00000004",
    }
    on = {"5": [], "6": []}
    for each in these:
        gpu, core, threads = saw(each)
        assert (core, threads) == (str(CORES[0] if gpu == "5" else CORES[-1]), "2")
        on[gpu].append(times(each))
    for spans in on.values():
        assert all(end < start for (_, end), (start, _) in pairwise(spans))
    assert all(on.values())
    out = capsys.readouterr().out
    assert "dab-2 trains on GPU 6 and core" in out
    assert "dab-4 is trained" in out
    assert not (here / "jobs/driver").exists()


@pytest.mark.parametrize("how", ["driver", "killed"])
def test_a_training_ends_with_what_looks_after_it(here, cell, tmp_path, how):
    (here / "hold").touch()
    each = cell("dab-1", 1)
    script = tmp_path / "job.py"
    script.write_text(
        "import sys; sys.path.insert(0, '')\n"
        "from pathlib import Path\n"
        "from eacnet.cells.job import Job; from eacnet.cells.shares import Share\n"
        "from eacnet.cells.cell import Cell; from eacnet.layout import Run\n"
        f"run = {each.run!r}; cell = Cell(run, {each.key!r}, 2)\n"
        f"share = Share((), ({CORES[0]},), 1)\n"
        "Job(cell, Path.cwd(), share, Path('driver'))()\n"
    )
    driver = subprocess.Popen(["sleep", "60"])
    (here / "driver").write_text(str(driver.pid))
    job = subprocess.Popen([sys.executable, str(script)])
    while not (here / "dab-1.started").exists():
        assert job.poll() is None
        time.sleep(0.02)
    if how == "killed":
        driver.kill()
        driver.wait()
    else:
        (here / "driver").unlink()
    assert job.wait(20) == 1
    driver.kill()
    driver.wait()
    # Stopped, not failed: the next start goes on with it.
    assert each.job == {}
    assert not each.finished


def test_a_job_that_has_to_go_stops_its_training_and_hands_it_on(here, cell):
    (here / "hold").touch()
    share = Share((), tuple(CORES), 1)
    job = Job(cell("dab-1", 1), here, share)
    script = [sys.executable, "-c", "import time; time.sleep(60)"]
    job.process = subprocess.Popen(script)
    delayed = job.checkpoint()
    assert job.process.poll() is not None
    assert delayed.function == Job(job.cell, here, share)


@pytest.mark.parametrize(("rank", "log"), [("0", "log.txt"), ("1", "log.1.txt")])
def test_on_a_cluster_a_process_that_fails_ends_the_others(here, cell, monkeypatch, rank, log):
    monkeypatch.setenv("SLURM_PROCID", rank)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    each = cell("bad-1", 1)
    each.note(executor="slurm", id="12_0")
    with pytest.raises(SystemExit, match="1"):
        Job(each, here)()
    assert each.job == {"executor": "slurm", "id": "12_0", "error": "the loss is nan in epoch 1"}
    assert "error: the loss is nan" in (each.folder / log).read_text()
