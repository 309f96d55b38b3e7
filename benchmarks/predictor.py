"""The predictor against the published form, in one process: time, agreement of labels, memory.

Pixels in, labels out, batch 1, dab with pooled calibration and 19 classes unless a model file is
named. Wall times are medians of interleaved rounds. The processor's own seconds are printed, too:
on a machine with other work, those on one thread tell more than the clock on the wall. Peak memory
is the growth of a process of its own over a pass, after one on a small image.

    python benchmarks/predictor.py --size 1024 2048 --threads 2
    python benchmarks/predictor.py --model models/camvid/main.safetensors --size 360 480
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from eacnet.data.synthetic import draw_scene
from eacnet.models import EACNet, ModelCard, build_model, load_model
from eacnet.runtime.backends import RUNTIMES, installed, precisions
from eacnet.runtime.environment import machine
from eacnet.runtime.predictor import Predictor
from eacnet.runtime.published_form import reference_predict

PUBLISHED = "published"
MEAN = [72.0, 82.0, 72.0]


def network(path: Path | None) -> EACNet:
    """Read the network, or draw one; drawn weights say nothing about agreement."""
    if path:
        return load_model(path)
    torch.manual_seed(1)
    model = build_model("dab", 19, "pooled").eval()
    torch.nn.init.constant_(model.calibration.gamma, 0.5)
    model.card = ModelCard([], MEAN, [1.0, 1.0, 1.0])
    return model


def opened(model: EACNet, form: str, samples: list[np.ndarray]) -> Callable[[np.ndarray], object]:
    """Return the published form, or a predictor of "runtime precision"."""
    if form == PUBLISHED:
        return lambda image: reference_predict(model, image)
    runtime, precision = form.split()
    return Predictor(model, runtime=runtime, precision=precision, device="cpu", samples=samples)


def memory(form: str, arguments: argparse.Namespace) -> float:
    """Return the growth of this process's peak memory in MB."""
    small, image = (draw_scene(*size, 1)[0] for size in ((64, 128), arguments.size))
    run = opened(network(arguments.model), form, [small])
    run(small)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(image)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(512, 1024))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--forms", nargs="+", help="such as 'openvino bf16'; default: all")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.memory:
        print(memory(arguments.memory, arguments))
        return
    cpu = torch.device("cpu")
    forms = arguments.forms or [
        f"{name} {each}" for name in RUNTIMES if installed(name) for each in precisions(name, cpu)
    ]
    model = network(arguments.model)
    image, *samples = (draw_scene(*arguments.size, seed)[0] for seed in range(1, 4))
    runs = {form: opened(model, form, samples) for form in (PUBLISHED, *forms)}
    truth = runs[PUBLISHED](image)
    agreement = {form: float(np.mean(run(image) == truth)) for form, run in runs.items()}
    wall: dict[str, list[float]] = {form: [] for form in runs}
    cpu_time: dict[str, list[float]] = {form: [] for form in runs}
    for _ in range(arguments.rounds):
        for form, run in runs.items():
            start, used = time.perf_counter(), time.process_time()
            run(image)
            wall[form].append(1000 * (time.perf_counter() - start))
            cpu_time[form].append(1000 * (time.process_time() - used))
    here = machine()
    height, width = arguments.size
    print(
        f"{here['cpu']['name']}, {arguments.threads} threads, {model.backbone_name} "
        f"{model.calibration_name}, {height}x{width}, medians of {arguments.rounds} rounds"
    )
    print(f"{'':18} {'ms':>8} {'times':>6} {'CPU ms':>8} {'times':>6} {'labels':>9} {'peak MB':>8}")
    for form in runs:
        ms, used = statistics.median(wall[form]), statistics.median(cpu_time[form])
        faster = statistics.median(wall[PUBLISHED]) / ms
        cheaper = statistics.median(cpu_time[PUBLISHED]) / used
        command = [sys.executable, __file__, *sys.argv[1:], "--memory", form]
        answer = subprocess.run(command, capture_output=True, text=True)
        peak = f"{float(answer.stdout):8.0f}" if answer.returncode == 0 else "    none"
        print(
            f"{form:18} {ms:8.1f} {faster:6.2f} {used:8.1f} {cheaper:6.2f} "
            f"{100 * agreement[form]:8.3f}% {peak}"
        )


if __name__ == "__main__":
    main()
