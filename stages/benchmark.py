"""Time the networks that a plan names, on this machine.

A trained network runs on frames of its dataset where its prepared store is there, everything else
on drawn scenes; the result says which. Neither is a dependency in dvc.yaml: speed doesn't hang on
them, and the benchmark reruns where the machine changed alone.

Without DVC: `python -m stages.environment && python -m stages.benchmark --plan full`.
"""

import argparse
from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.files import write_json
from eacnet.layout import ENVIRONMENT, PREPARED, main_run, speed_file
from eacnet.result_files import read_result


def main() -> None:
    """Read params.yaml and reports/environment.json, write reports/speed/<device>[-<plan>].json."""
    parser = argparse.ArgumentParser(prog="python -m stages.benchmark", description=__doc__)
    parser.add_argument("--plan", help="one of `benchmarks` in params.yaml, instead of its own")
    parser.add_argument("--weights", type=Path, help="a trained network, instead of random weights")
    options = parser.parse_args()
    params = load_params()
    name = options.plan or params.benchmark
    if name not in params.benchmarks:
        raise InputError(
            f"unknown plan {name!r}; params.yaml has {', '.join(sorted(params.benchmarks))}"
        )
    plan, environment = params.benchmarks[name], read_result(ENVIRONMENT, "environment")

    import psutil
    import torch

    from eacnet.benchmark.run import benchmark
    from eacnet.benchmark.samples import ImageSource
    from eacnet.machine import device_name, pick_device, slug, usable_cores
    from eacnet.models import load_model
    from eacnet.provenance import provenance

    # Other work on the machine slows ours down; near 0, there was none.
    load = round(psutil.getloadavg()[0], 1)
    device, run = pick_device(params.hardware.accelerator), main_run(params)
    on_gpu = device.type == "cuda"
    machine = device_name(device) if on_gpu else f"{device_name(device)}, {usable_cores()} cores"
    model = f"{run.backbone}-{run.calibration}"
    store = PREPARED / load_model(options.weights).card.dataset if options.weights else None
    pictures = ImageSource(store if store and (store / "dataset.json").is_file() else None)
    result = {
        "machine": {**environment, "device": machine},
        "plan": name,
        "load_average_before": load,
        **benchmark(plan, model, device, params.seed, options.weights, pictures),
        "provenance": provenance(
            seed=params.seed, device=device_name(device), threads=torch.get_num_threads()
        ),
    }
    write_json(speed_file(slug(machine), name), result)


if __name__ == "__main__":
    exit_on_error(main)
