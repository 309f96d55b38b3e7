import os

import pytest

from eacnet.cells import shares as module
from eacnet.cells.shares import shares
from eacnet.config.hardware import Hardware
from eacnet.errors import InputError


@pytest.fixture
def machine(monkeypatch):
    """Return a function that gives this machine other cores and GPUs."""

    def give(cores: int, gpus: int, visible: str | None = None) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(10, 10 + cores)))
        monkeypatch.setattr(module, "gpus", lambda _: [[str(n)] for n in range(gpus)])
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return give


def hardware(devices=1, accelerator="auto", nodes=1) -> Hardware:
    return Hardware(accelerator=accelerator, devices=devices, nodes=nodes, workers=0)


@pytest.mark.parametrize(
    ("cores", "gpus", "visible", "devices", "trainings", "jobs", "expected"),
    [
        (8, 4, None, 1, 9, None, [("0",), ("1",), ("2",), ("3",)]),
        (8, 4, None, 1, 3, None, [("0",), ("1",), ("2",)]),
        (8, 4, None, 2, 9, None, [("0", "1"), ("2", "3")]),
        (8, 5, None, 2, 9, None, [("0", "1"), ("2", "3")]),
        (8, 4, None, 1, 9, 2, [("0",), ("1",)]),
        (8, 4, "6,2", 1, 9, None, [("6",), ("2",)]),
        (8, 4, "GPU-8a,GPU-1b", 1, 9, None, [("GPU-8a",), ("GPU-1b",)]),
        (8, 4, "", 4, 9, None, [(), ()]),
        (8, 0, None, 1, 3, None, [(), (), ()]),
    ],
)
def test_each_training_has_its_own_gpus_or_cores(
    machine, cores, gpus, visible, devices, trainings, jobs, expected
):
    machine(cores, gpus, visible)
    found = shares(hardware(devices), trainings, jobs)
    assert [share.gpus for share in found] == expected
    # All cores, each once, in shares that differ by one at most.
    assert sorted(core for share in found for core in share.cores) == list(range(10, 10 + cores))
    sizes = {len(share.cores) for share in found}
    assert max(sizes) - min(sizes) <= 1
    assert all(share.threads == max(1, len(share.cores) // devices) for share in found)


def test_more_gpus_than_cores_share_the_cores(machine):
    machine(2, 4)
    found = shares(hardware(), 4)
    assert [share.gpus for share in found] == [("0",), ("1",), ("2",), ("3",)]
    assert all(share.cores for share in found)


def test_a_processor_is_asked_for_where_there_are_gpus(machine):
    machine(4, 4)
    assert [share.gpus for share in shares(hardware(accelerator="cpu"), 2)] == [(), ()]


@pytest.mark.parametrize(
    ("gpus", "how", "jobs", "said"),
    [
        (2, {}, 3, "this machine has 2 GPUs, too few for 3 trainings of hardware.devices 1"),
        (2, {"devices": 3}, None, "2 GPUs, too few for 1 trainings of hardware.devices 3"),
        (0, {}, 5, "this machine has 4 cores, too few for 5 trainings"),
        (0, {"accelerator": "cuda"}, None, "hardware.accelerator is 'cuda', but no GPU is visible"),
        (2, {"nodes": 2}, None, "hardware.nodes is 2, but this is one machine"),
    ],
)
def test_no_room_is_said_before_work(machine, gpus, how, jobs, said):
    machine(4, gpus)
    with pytest.raises(InputError, match=said):
        shares(hardware(**how), 9, jobs)


def test_threads_that_the_user_sets_stay(machine, monkeypatch):
    machine(4, 0)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (share,) = shares(hardware(), 1)
    assert share.environment == {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "4"}
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert share.environment["OMP_NUM_THREADS"] == "3"
