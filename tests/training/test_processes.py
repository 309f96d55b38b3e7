"""One training in two processes on the CPU, which share each batch out."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from test_loop import MEAN
from torch import nn

from eacnet.config.params import Hardware
from eacnet.data.samples import Augmentation, Samples
from eacnet.data.store import Split
from eacnet.errors import InputError
from eacnet.models import build_model
from eacnet.training.loop import make_fabric
from eacnet.training.processes import started_processes

ROOT = Path(__file__).parents[2]
# Trains once for each pair of epochs and learning rate that it is given.
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
from test_loop import MEAN, recipe
from test_processes import drawn

def main():
    fabric = make_fabric(Hardware(accelerator="cpu", devices=2, workers=0), "fp32")
    for index in range(1, len(sys.argv), 2):
        how = recipe(
            epochs=int(sys.argv[index]),
            optimiser={{"name": "sgd", "lr": float(sys.argv[index + 1]), "weight_decay": 0}},
            schedule={{"warmup_iterations": 0, "warmup_start": 1, "power": 0, "step": "epoch"}},
        )
        torch.manual_seed(7)
        network = build_model("dab", 3, "none")
        path = Path({folder!r}) / f"{{index}}.pt"
        train(fabric, network, CrossEntropy(None), drawn(), MEAN, how, 0, path, None)

if __name__ == "__main__":
    exit_on_error(main)
"""


def drawn() -> Samples:
    """Two frames of noise, as large as a crop: one batch an epoch."""
    random = np.random.default_rng(0)
    images = random.integers(256, size=(2, 32, 48, 3), dtype=np.uint8)
    labels = random.integers(3, size=(2, 32, 48), dtype=np.uint8)
    how = Augmentation((32, 48), (1.0,), (90, 100, 110))
    return Samples([Split(images, labels, list("ab"))], how, seed=7)


@pytest.fixture
def start(tmp_path):
    """Return a function: pairs of epochs and learning rate -> the started first process."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT), folder=str(tmp_path)))

    def run(*arguments: str) -> subprocess.Popen:
        command = [sys.executable, str(script), *arguments]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    return run


def test_gradients_are_those_of_both_halves_and_both_stop_on_a_loss_that_is_nan(start, tmp_path):
    """Norms take their statistics from a process's half: PyTorch shares them on GPUs alone."""
    process = start("1", "1.0", "3", "1e38")
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.count("error: the loss is nan in epoch 2, iteration 2") == 1
    assert "Traceback" not in stderr
    trained = torch.load(tmp_path / "1.pt")["network"]

    torch.manual_seed(7)
    network = build_model("dab", 3, "none").train().double()
    halves = []
    for frame in range(2):
        image, labels = drawn()[0, frame]
        pixels = image.permute(2, 0, 1).double() - torch.tensor(MEAN).view(3, 1, 1)
        loss = nn.functional.cross_entropy(network(pixels[None]), labels[None].long())
        halves.append(torch.autograd.grad(loss, list(network.parameters())))
    for (name, before), one, other in zip(network.named_parameters(), *halves, strict=True):
        step, truth = before.detach() - trained[name], (one + other) / 2
        # In float32 the gradients of these few positions are known to about 1 %.
        assert (step - truth).norm() < 0.05 * truth.norm() + 1e-4, name


def test_the_second_process_ends_with_a_stopped_first(start, tmp_path):
    process = start("10000", "0.01")
    while process.poll() is None and not (tmp_path / "1.pt").exists():
        time.sleep(0.02)
    (second,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.splitlines()[-1].startswith("error: interrupted")
    assert "Traceback" not in stderr
    assert not psutil.pid_exists(second.pid) or second.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"WORLD_SIZE": "abc"}, "variable WORLD_SIZE is 'abc', which is no number of processes"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE is '0'"),
        ({"LOCAL_RANK": "abc"}, "variable LOCAL_RANK is 'abc', which is no number; unset it"),
        ({"WORLD_SIZE": "1", "RANK": "-1"}, "RANK is '-1', which is no number; unset it"),
        ({"SLURM_PROCID": "one"}, "SLURM_PROCID is 'one', which is no number; .* SLURM set it"),
        ({"WORLD_SIZE": "9" * 5000}, "WORLD_SIZE is '999"),
        ({"SLURM_NTASKS": "1", "SLURM_NNODES": ""}, "SLURM_NNODES is '', which is no number of no"),
        ({"SLURM_NTASKS": "1", "SLURM_NNODES": "0"}, "SLURM_NNODES is '0'.*let SLURM set it"),
        ({"SLURM_NTASKS": "2(x3)"}, "SLURM_NTASKS is '2.x3.'"),
    ],
)
def test_a_variable_that_holds_no_number_gets_one_line(monkeypatch, env, said):
    for name in ("WORLD_SIZE", "SLURM_NTASKS", "SLURM_NNODES", "SLURM_JOB_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=said) as caught:
        started_processes()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_device_that_is_not_there_gets_one_line():
    hardware = Hardware(accelerator="cuda", devices=2, workers=0)
    with pytest.raises(InputError, match=r"hardware.accelerator is 'cuda'") as caught:
        make_fabric(hardware, "fp32")
    assert "\n" not in str(caught.value)
