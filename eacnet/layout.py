"""Where files lie: the one place that names a path of the pipeline, besides the files dvc.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eacnet.errors import InputError

if TYPE_CHECKING:
    from eacnet.config.params import Params
    from eacnet.models import EACNet


def project() -> Path:
    """Return the folder of the project; of the copies that DVC runs in, the one that they are of.

    `dvc exp run --queue` and `--temp` run in `.dvc/tmp/exps/<copy>`, which has neither the data nor
    the trainings of the project.
    """
    here = Path.cwd()
    for folder in here.parents:
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return Path()


RAW = Path("data/raw")
PREPARED = Path("data/prepared")
CHECKPOINTS = project() / ".cache/training"
TRAINED = project() / ".cache/trained"
CELLS = project() / ".cache/cells"
REPORTS = Path("reports")
ENVIRONMENT = REPORTS / "environment.json"
SPEED = REPORTS / "speed"
PUBLISHED = Path("data/published.csv")
ABLATION = Path("stages/ablation/dvc.yaml")


@dataclass(frozen=True)
class Run:
    """One trained network: the pipeline's main one, or a cell of the ablation.

    `stage` is the stage that makes it, as `dvc repro` takes it.
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
        return models(self.experiment) / f"{self.name}.safetensors"

    @property
    def results(self) -> Path:
        """The folder of its training curve and scores."""
        return results_of(reports(self.experiment), self.name)

    def checked(self, model: "EACNet") -> "EACNet":
        """Return a network if it is such a one as this run trains.

        Raises:
            InputError: it is another; names both.
        """
        found = (model.backbone_name, model.calibration_name)
        if found != (self.backbone, self.calibration):
            raise InputError(
                f"{self.weights} holds {' with calibration '.join(found)}, but {self.name} is"
                f" {self.backbone} with calibration {self.calibration}; `dvc repro` puts its own"
                " there"
            )
        return model


def models(experiment: str) -> Path:
    """Return the folder of an experiment's weights."""
    return Path("models") / experiment


def results_of(folder: Path, run: str) -> Path:
    """Return where the curve and scores of a run lie in the folder of its experiment."""
    return folder / run if run == "main" else folder / "cells" / run


def reports(experiment: str) -> Path:
    """Return the folder of what a reader wants to see of an experiment (dataset and variant)."""
    return REPORTS / experiment


def start_of(experiment: str) -> Path:
    """Return where the checksum of the file that an experiment's trainings start from stands."""
    return models(experiment) / "start.json"


def speed_file(device: str, plan: str) -> Path:
    """Return the benchmark's result: a device's full one is never overwritten by another plan's."""
    return SPEED / (f"{device}.json" if plan == "full" else f"{device}-{plan}.json")


def main_run(params: "Params") -> Run:
    """Return the run that `model` and `seed` in params.yaml describe."""
    model, experiment = params.model, params.experiment
    stage = f"train@{experiment}"
    return Run("main", model.backbone, model.calibration, params.seed, experiment, stage)


def cells(params: "Params") -> list[Run]:
    """Return the runs of the ablation, in the order of params.yaml."""
    runs = []
    for backbone, calibration, seed in params.ablation.cells:
        name = f"{backbone}-{calibration}-{seed}"
        matrix = "baseline" if backbone in params.ablation.baselines else "ablation"
        stage = f"{ABLATION}:{matrix}@{params.experiment}-{name}"
        runs.append(Run(name, backbone, calibration, seed, params.experiment, stage))
    return runs


def select(params: "Params", name: str) -> Run:
    """Return the run named `name`: "main", or a cell such as "dab-pooled-1".

    Raises:
        InputError: params.yaml names no such run.
    """
    runs = {run.name: run for run in [main_run(params), *cells(params)]}
    if name not in runs:
        raise InputError(f"unknown run {name!r}; params.yaml names {', '.join(runs)}")
    return runs[name]
