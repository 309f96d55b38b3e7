"""Trainings in processes that torchrun or srun starts, on one node or two."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from eacnet.config.params import Hardware
from eacnet.errors import InputError
from eacnet.training.processes import check_processes

ROOT = Path(__file__).parents[2]
SLURM = {"SLURM_NTASKS": "1", "SLURM_NNODES": "1", "SLURM_STEP_ID": "0"}
# Trains for two epochs; where everything but the calibration is held, no norm sees a batch.
SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {root!r} + "/tests/training"]
from pathlib import Path
import torch
from eacnet.errors import exit_on_error
from eacnet.models import build_model
from eacnet.config.params import Hardware
from eacnet.training.loop import make_fabric, train
from eacnet.training.losses import CrossEntropy
from eacnet.training.processes import check_processes
from test_continued import recipe
from test_loop import MEAN
from test_processes import drawn

def main():
    target, trains, devices, nodes = sys.argv[1:]
    hardware = Hardware(accelerator="cpu", devices=int(devices), nodes=int(nodes), workers=0)
    check_processes(hardware)
    fabric = make_fabric(hardware, "fp32")
    torch.manual_seed(7)
    network = build_model("dab", 3, "point")
    how = recipe(trains=trains)
    train(fabric, network, CrossEntropy(None), drawn(), MEAN, how, 0, Path(target), None)

if __name__ == "__main__":
    exit_on_error(main)
"""


@pytest.fixture
def train(tmp_path):
    """Return a function: what trains, devices, nodes, by whom -> the trained weights."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT)))

    def run(trains: str, devices: int = 1, nodes: int = 1, starter: str = "") -> dict:
        target = tmp_path / f"{trains}-{devices}-{nodes}-{starter}.pt"
        words = [str(script), str(target), trains, str(devices), str(nodes)]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        started = []
        for node in range(nodes):
            command, env = [sys.executable, *words], {}
            if starter == "torchrun":
                here = ["--nnodes", str(nodes), "--node-rank", str(node), "--nproc-per-node", "1"]
                there = ["--master-addr", "127.0.0.1", "--master-port", port]
                command[1:1] = ["-m", "torch.distributed.run", *here, *there]
            elif starter == "slurm":
                env = {**SLURM, "SLURM_NTASKS": str(nodes), "SLURM_NNODES": str(nodes)}
                env |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "SLURM_LOCALID": "0"}
                env |= {"SLURM_PROCID": str(node), "SLURM_NODEID": str(node)}
            started.append(subprocess.Popen(command, env={**os.environ, **env}))
        assert [process.wait() for process in started] == [0] * nodes
        return torch.load(target)["network"]

    return run


def test_two_nodes_train_the_bits_of_two_processes_on_one(train):
    there, here = train("all", nodes=2, starter="torchrun"), train("all", devices=2)
    assert all(torch.equal(there[name], here[name]) for name in here)


def test_where_no_norm_sees_a_batch_two_nodes_train_what_one_process_does(train):
    """Up to rounding: the mean over a batch is summed up in another order."""
    there, here = train("calibration", nodes=2, starter="slurm"), train("calibration")
    for name in here:
        torch.testing.assert_close(there[name], here[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("env", "devices", "nodes", "said"),
    [
        ({}, 1, 2, "this process was started alone; start 1 on each node by torchrun or srun"),
        ({"WORLD_SIZE": "2"}, 1, 1, "torchrun started 2 processes; let it start 1 on each of 1"),
        ({"WORLD_SIZE": "1"}, 2, 1, "torchrun started 1 process; let it start 2 on each of 1"),
        ({"WORLD_SIZE": "4"}, 2, 3, "torchrun started 4 processes; let it start 2 on each of 3"),
        (SLURM, 2, 1, "SLURM started 1 process on 1 node; let it start 2 on each of 1"),
        (SLURM, 1, 2, "this process was started alone"),
        ({**SLURM, "SLURM_NTASKS": "2"}, 1, 1, "SLURM started 2 processes on 1 node"),
        ({**SLURM, "SLURM_NTASKS": "4", "SLURM_NNODES": "4"}, 2, 2, "4 processes on 4 nodes"),
        (
            {"SLURM_NTASKS": "2"},
            2,
            1,
            "room for 2 processes, but this one was started without srun",
        ),
    ],
)
def test_processes_that_are_not_those_of_the_params_are_refused(
    monkeypatch, env, devices, nodes, said
):
    alone(monkeypatch, env)
    with pytest.raises(InputError, match=said) as caught:
        check_processes(Hardware(accelerator="cpu", devices=devices, nodes=nodes, workers=0))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("env", "devices", "nodes"),
    [
        ({}, 1, 1),
        ({}, 2, 1),
        ({"WORLD_SIZE": "6"}, 2, 3),
        (SLURM, 1, 1),
        ({**SLURM, "SLURM_NTASKS": "4", "SLURM_NNODES": "2"}, 2, 2),
        ({**SLURM, "SLURM_JOB_NAME": "interactive"}, 2, 1),
        # A batch script of one process needs no srun.
        ({"SLURM_NTASKS": "1", "SLURM_NNODES": "1"}, 1, 1),
    ],
)
def test_processes_that_fit_the_params_are_taken(monkeypatch, env, devices, nodes):
    alone(monkeypatch, env)
    check_processes(Hardware(accelerator="cpu", devices=devices, nodes=nodes, workers=0))
    assert {name for name in os.environ if name.startswith("LT_")} == {"LT_NUM_NODES"}
    assert os.environ["LT_NUM_NODES"] == str(nodes)


def alone(monkeypatch, env: dict[str, str]) -> None:
    for name in list(os.environ):
        if name.startswith("SLURM_") or name == "WORLD_SIZE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LT_NUM_NODES", "0")  # set back at the end
    monkeypatch.setenv("LT_PRECISION", "bf16-mixed")  # Fabric would obey, and nothing tell it
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    if "SLURM_NTASKS" in env:
        monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "9")
