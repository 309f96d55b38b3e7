"""What SLURM is asked for and what is made of its answers; its commands are stand-ins."""

import re

import pytest
from filelock import FileLock

from eacnet.cells import run as module
from eacnet.cells import slurm
from eacnet.cells.view import View
from eacnet.config.hardware import Cluster, Hardware
from eacnet.config.params import load_params
from eacnet.errors import InputError

PARAMS = load_params()


@pytest.fixture
def cluster(here, tmp_path, monkeypatch):
    """Return a function that sets what squeue answers; sbatch keeps what it is given in `jobs`."""
    programs = tmp_path / "bin"
    programs.mkdir()
    answer = tmp_path / "squeue.txt"
    for name, text in {
        "sbatch": f"cp $1 {tmp_path}/sbatch-$(ls {tmp_path} | grep -c sbatch-)\n"
        "echo Submitted batch job 12",
        "srun": "exit 1",
        "squeue": f"cat {answer}",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(slurm, "POLL", 0)
    answer.write_text("")
    return lambda *lines: answer.write_text("".join(f"{line}\n" for line in lines))


def params(hardware=None, **wanted):
    machine = Hardware(accelerator="auto", **{"devices": 1, "workers": 0, **(hardware or {})})
    return PARAMS.model_copy(update={"cluster": Cluster(**wanted), "hardware": machine})


def test_one_array_job_asks_for_what_the_params_say(cluster, here, tmp_path, cell):
    these = [cell("dab-1", 1), cell("dab-2", 2), cell("dab-3", 3)]
    wanted = params(
        {"devices": 2, "nodes": 3},
        partition="long",
        constraint="a100|h100",
        gpus=2,
        cores=6,
        memory_gib=1.5,
        hours=2.5,
        sbatch={"account": "lab"},
    )
    slurm.submit(these, wanted, here / "jobs", 2)
    (script,) = tmp_path.glob("sbatch-*")
    asked = dict(re.findall(r"#SBATCH --([a-z-]+)=?(.*)", script.read_text()))
    expected = {
        "array": "0-2%2",
        "partition": "long",
        "constraint": "'a100|h100'",
        "gpus-per-node": "2",
        "cpus-per-task": "6",
        "ntasks-per-node": "2",
        "nodes": "3",
        "mem": "1536M",
        "time": "150",
        "account": "lab",
        "requeue": "",
    }
    assert expected.items() <= asked.items()
    assert asked["signal"].startswith("USR2@")
    assert "--cpus-per-task=6" in script.read_text().splitlines()[-1]
    assert [each.job for each in these] == [
        {"executor": "slurm", "id": f"12_{index}"} for index in range(3)
    ]


def test_what_was_left_out_is_the_clusters_own_choice(cluster, here, tmp_path, cell):
    slurm.submit([cell("dab-1", 1), cell("dab-2", 2)], params(gpus=0), here / "jobs", None)
    (script,) = tmp_path.glob("sbatch-*")
    for option in ("partition", "constraint", "gpus"):
        assert f"#SBATCH --{option}" not in script.read_text()


def test_gpus_that_are_not_those_of_the_processes_are_refused(cluster, here, cell):
    with pytest.raises(InputError, match=r"cluster.gpus is 1 and hardware.devices 2"):
        slurm.submit([cell("dab-1", 1)], params({"devices": 2}), here / "jobs", None)


def test_without_slurm_one_line_says_so(here, cell, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="there is no sbatch here"):
        slurm.submit([cell("dab-1", 1)], params(), here / "jobs", None)
    with pytest.raises(InputError, match="SLURM does not answer"):
        slurm.states()


def test_jobs_are_followed_to_their_ends(cluster, here, cell, capsys):
    good, bad, lost = cell("dab-1", 1), cell("bad-2", 2), cell("dab-3", 3)
    good.note(executor="slurm", id="12_0")
    bad.note(executor="slurm", id="12_1", error="the loss is nan")
    lost.note(executor="slurm", id="12_2")
    (here / ".cache/trained" / good.key).mkdir(parents=True)
    with View([good, bad, lost]) as view:
        slurm.follow([good, bad, lost], view)
    assert view.failed == {
        "bad-2": "the loss is nan",
        "dab-3": "SLURM lost job 12_2 before its end",
    }
    assert "dab-1 is trained" in capsys.readouterr().out


def test_what_is_queued_already_is_not_submitted_again(cluster, here, tmp_path, cell, monkeypatch):
    these = [cell("dab-1", 1), cell("dab-2", 2)]
    these[0].note(executor="slurm", id="9_4")
    these[1].note(executor="slurm", id="9_5", error="the loss is nan")
    cluster("9_4 PENDING")
    (here / "params.yaml").write_text("all: settings")
    monkeypatch.setattr(module, "trainings", lambda _: these)
    monkeypatch.setattr(module, "missing", lambda _, cells: cells)
    monkeypatch.setattr(slurm, "follow", lambda *_: None)
    said = module.status(params())
    assert re.search(r"dab-1 +pending in job 9_4 +0/2", said)
    assert re.search(r"dab-2 +failed: the loss is nan +0/2", said)
    module.train_all(params(), "slurm", None)
    assert [each.job["id"] for each in these] == ["9_4", "12"]
    assert (these[1].folder / "params.yaml").read_text() == "all: settings"
    assert len(list(tmp_path.glob("sbatch-*"))) == 1
    cluster("9_4 RUNNING", "12 PENDING")
    module.train_all(params(), "slurm", None)
    assert len(list(tmp_path.glob("sbatch-*"))) == 1
    with pytest.raises(InputError, match="2 of 2 trainings are still in SLURM"):
        module.train_all(params(), "local", None)


def test_one_process_at_a_time_trains_an_experiment(here, cell, monkeypatch):
    these = [cell("dab-1", 1), cell("dab-2", 2)]
    monkeypatch.setattr(module, "trainings", lambda _: these)
    monkeypatch.setattr(module, "missing", lambda _, cells: cells)
    these[0].note(executor="local", started=True)
    these[1].note(executor="local")
    rows = {True: ["running", "waiting"], False: ["missing", "missing"]}
    lock = FileLock(here / ".cache/cells/synthetic/.lock")
    for held in (True, False):
        if held:
            lock.acquire()
            with pytest.raises(InputError, match="another process trains the cells of synthetic"):
                module.train_all(params(), "local", None)
        else:
            lock.release()
        said = module.status(params()).splitlines()[1:]
        assert [line.split()[1] for line in said] == rows[held]
