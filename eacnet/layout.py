"""Where files lie: the one place that names a path of the pipeline, besides dvc.yaml."""

from dataclasses import dataclass
from pathlib import Path

from eacnet.config.params import Params
from eacnet.errors import InputError

RAW = Path("data/raw")
PREPARED = Path("data/prepared")
SCRATCH = Path(".cache/training")
REPORTS = Path("reports")
ENVIRONMENT = REPORTS / "environment.json"
SPEED = REPORTS / "speed"
PUBLISHED = Path("data/published.csv")


@dataclass(frozen=True)
class Run:
    """One trained network: the pipeline's main one, or a cell of the ablation.

    `stage` is the stage of dvc.yaml that makes it.
    """

    name: str
    backbone: str
    calibration: str
    seed: int
    experiment: str
    stage: str

    @property
    def weights(self) -> Path:
        """Its weights."""
        return Path("models") / self.experiment / f"{self.name}.safetensors"

    @property
    def scratch(self) -> Path:
        """The folder of its training's checkpoints; gone once the run has been scored."""
        return SCRATCH / self.experiment / self.name

    @property
    def results(self) -> Path:
        """The folder of its training curve and scores."""
        return results_of(reports(self.experiment), self.name)


def results_of(folder: Path, run: str) -> Path:
    """Return where the curve and scores of a run lie in the folder of its experiment."""
    return folder / run if run == "main" else folder / "cells" / run


def reports(experiment: str) -> Path:
    """Return the folder of what a reader wants to see of an experiment (dataset and variant)."""
    return REPORTS / experiment


def speed_file(device: str, plan: str) -> Path:
    """Return the benchmark's result: a device's full one is never overwritten by another plan's."""
    return SPEED / (f"{device}.json" if plan == "full" else f"{device}-{plan}.json")


def main_run(params: Params) -> Run:
    """Return the run that `model` and `seed` in params.yaml describe."""
    model = params.model
    return Run("main", model.backbone, model.calibration, params.seed, params.experiment, "train")


def cells(params: Params) -> list[Run]:
    """Return the runs of the ablation, in the order of params.yaml."""
    runs = []
    for backbone, calibration, seed in params.ablation.cells:
        name = f"{backbone}-{calibration}-{seed}"
        matrix = "baseline" if backbone in params.ablation.baselines else "ablation"
        stage = f"{matrix}@{name}"
        runs.append(Run(name, backbone, calibration, seed, params.experiment, stage))
    return runs


def select(params: Params, name: str) -> Run:
    """Return the run named `name`: "main", or a cell such as "dab-pooled-1".

    Raises:
        InputError: params.yaml names no such run.
    """
    runs = {run.name: run for run in [main_run(params), *cells(params)]}
    if name not in runs:
        raise InputError(f"unknown run {name!r}; params.yaml names {', '.join(runs)}")
    return runs[name]
