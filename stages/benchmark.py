"""Time the networks that a plan names, on this machine.

A trained network runs on frames of its dataset where its prepared store is there, everything else
on drawn scenes; the result says which. Neither is a dependency in dvc.yaml: speed doesn't hang on
them, and the benchmark reruns where the machine changed alone.

Without DVC: `python -m stages.benchmark --plan full`.
"""

import argparse
from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.files import write_json
from eacnet.layout import PREPARED, speed_file


def main() -> None:
    """Read params.yaml, write reports/speed/<device>[-<plan>].json."""
    parser = argparse.ArgumentParser(prog="python -m stages.benchmark", description=__doc__)
    parser.add_argument("--plan", help="one of `benchmarks` in params.yaml, instead of its own")
    parser.add_argument(
        "--weights", type=Path, help="a trained network: its rows are timed with these weights"
    )
    options = parser.parse_args()
    params = load_params()
    plan = options.plan or params.benchmark
    if plan not in params.benchmarks:
        raise InputError(
            f"unknown plan {plan!r}; params.yaml has {', '.join(sorted(params.benchmarks))}"
        )

    from eacnet.benchmark.run import benchmark
    from eacnet.benchmark.samples import DRAWN, ImageSource
    from eacnet.machine import conditions, device_name, machine, pick_device, slug, usable_cores
    from eacnet.models import load_model
    from eacnet.provenance import provenance

    device, images, before = pick_device(params.hardware.accelerator), DRAWN, conditions()
    if options.weights:
        dataset = load_model(options.weights).card.dataset
        if dataset and (PREPARED / dataset / "dataset.json").is_file():
            entry = getattr(params.datasets, dataset, None)
            images = ImageSource(PREPARED / dataset, entry.evaluate if entry else "")
    name = device_name(device)
    label = name if device.type == "cuda" else f"{name}, {usable_cores()} cores"
    what = (params.benchmarks[plan], device, params.seed, options.weights, images)
    result = {
        "machine": {"device": label, **machine()},
        "plan": plan,
        "conditions": before,
        "load_average_before": before["load_average"],
        **benchmark(*what, params.recipes),
        "provenance": provenance(seed=params.seed, device=name, threads=before["threads"]),
    }
    write_json(speed_file(slug(label), plan), result)


if __name__ == "__main__":
    exit_on_error(main)
