"""params.yaml as typed, checked objects."""

import re
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from eacnet.config.benchmark import Plan
from eacnet.config.dataset import DatasetParams
from eacnet.config.hardware import Cluster, Hardware
from eacnet.config.names import (
    AUXILIARY,
    CALIBRATIONS,
    DATASETS,
    Backbone,
    Baseline,
    CalibrationName,
    DatasetName,
    Folder,
    Key,
    Positive,
    Seed,
    Split,
    Strict,
    dataset_of,
)
from eacnet.config.recipe import Recipe
from eacnet.errors import InputError
from eacnet.files import real
from eacnet.layout import models, project


class Model(Strict):
    """The network: a backbone, and whether and how its scores are calibrated."""

    backbone: Backbone
    calib: Annotated[bool, Field(strict=True)]
    attention: Literal[tuple(name for name in CALIBRATIONS if name != "none")]
    pretrained: Literal["none", "imagenet"] = "none"

    @field_validator("pretrained")
    @classmethod
    def _weights_exist(cls, value: str, info: ValidationInfo) -> str:
        backbone = info.data.get("backbone", "resnet18")
        if value != "none" and backbone != "resnet18":
            raise ValueError(f"'none' with backbone {backbone}; only resnet18 has such weights")
        return value

    @property
    def calibration(self) -> CalibrationName:
        """The calibration as `build_model` names it."""
        return self.attention if self.calib else "none"

    def weights_for(self, backbone: str) -> str:
        """Return `pretrained`, which the resnet18 cells of the ablation share, or "none"."""
        return self.pretrained if backbone == "resnet18" else "none"


def _entry(dataset: str) -> Any:
    """Return an optional field: what the entry of `dataset` may hold, as its file says."""
    module = import_module(f"eacnet.datasets.{dataset}")
    return getattr(module, "Params", DatasetParams) | None, None


Datasets = create_model(
    "Datasets", __base__=Strict, __doc__="One entry a dataset.", **{n: _entry(n) for n in DATASETS}
)


class Ablation(Strict):
    """Every backbone with every calibration, each with every seed; and whole networks beside."""

    backbones: Annotated[list[Backbone], Field(min_length=1)]
    calibrations: Annotated[list[CalibrationName], Field(min_length=1)]
    baselines: list[Baseline]
    seeds: Annotated[list[Seed], Field(min_length=1)]

    @model_validator(mode="after")
    def _no_cell_twice(self) -> "Ablation":
        for values in (self.backbones, self.calibrations, self.baselines, self.seeds):
            twice = [value for value in values if values.count(value) > 1]
            if twice:
                raise ValueError(f"every value once, but {twice[0]} is there twice")
        return self

    @property
    def cells(self) -> list[tuple[Backbone | Baseline, CalibrationName, int]]:
        """(backbone, calibration, seed) of every cell, in the order of the lists."""
        crossed = [(name, how) for name in self.backbones for how in self.calibrations]
        alone = [(name, "none") for name in self.baselines]
        return [(*network, seed) for network in (*crossed, *alone) for seed in self.seeds]


class Report(Strict):
    """What the report shows."""

    examples: Positive


class Params(Strict):
    """All of params.yaml."""

    dataset: DatasetName
    variant: str
    raw: Folder
    seed: Seed
    model: Model
    datasets: Datasets
    recipes: dict[Key, Recipe]
    ablation: Ablation
    benchmark: str
    benchmarks: dict[Key, Plan]
    report: Report
    hardware: Hardware
    cluster: Cluster = Cluster()

    @model_validator(mode="after")
    def _dataset_has_an_entry(self) -> "Params":
        if self.data is None:
            raise ValueError(f"dataset is {self.dataset!r}, but datasets has no such entry")
        return self

    @model_validator(mode="after")
    def _recipe_exists(self) -> "Params":
        mine = [name for name in self.recipes if dataset_of(name) == self.dataset]
        if self.experiment not in mine:
            allowed = sorted(name.removeprefix(self.dataset) for name in mine)
            raise ValueError(
                f"variant is {self.variant!r}, but recipes has no {self.experiment!r} of"
                f" {self.dataset}; allowed: {', '.join(map(repr, allowed)) or 'none'}"
            )
        if self.recipe.epochs == 0 and not self.recipe.init:
            raise ValueError(
                f"recipes.{self.experiment}.epochs is 0 and init is null; allowed: at least 1, or "
                "0 with the model file in init that is to be scored as it is"
            )
        if self.recipe.init and self._writes(self.recipe.init):
            raise ValueError(
                f"recipes.{self.experiment}.init is {self.recipe.init!r}, which this experiment"
                " writes itself, and DVC removes before it trains; allowed: a copy elsewhere, or"
                " another variant that starts from it"
            )
        if self.recipe.init and self.model.pretrained != "none":
            raise ValueError(
                f"recipes.{self.experiment}.init is {self.recipe.init!r} and model.pretrained is "
                f"{self.model.pretrained!r}; a training starts from one of them"
            )
        return self

    @model_validator(mode="after")
    def _auxiliary_heads_exist(self) -> "Params":
        if self.recipe.auxiliary and self.model.backbone not in AUXILIARY:
            raise ValueError(
                f"recipes.{self.experiment}.auxiliary is true, but {self.model.backbone} has no "
                f"auxiliary heads; allowed with model.backbone {', '.join(AUXILIARY)}"
            )
        return self

    @model_validator(mode="after")
    def _plan_exists(self) -> "Params":
        if self.benchmark not in self.benchmarks:
            allowed = ", ".join(sorted(self.benchmarks))
            raise ValueError(f"benchmark is {self.benchmark!r}; allowed: {allowed}")
        for name, plan in self.benchmarks.items():
            for recipe in {steps.recipe for steps in plan.training} - set(self.recipes):
                allowed = ", ".join(sorted(self.recipes))
                raise ValueError(f"benchmarks.{name} trains by {recipe!r}; allowed: {allowed}")
        return self

    def _writes(self, path: str) -> bool:
        """Whether a file is among this experiment's weights."""
        return real(project() / path).parent == real(project() / models(self.experiment))

    @property
    def experiment(self) -> str:
        """The name under which weights and reports stand: dataset and variant."""
        return self.dataset + self.variant

    @property
    def data(self) -> DatasetParams:
        """The selected dataset's entry."""
        return getattr(self.datasets, self.dataset)

    @property
    def recipe(self) -> Recipe:
        """The selected recipe."""
        return self.recipes[self.experiment]

    def trained_on(self, calibration: str) -> list[Split]:
        """Return the splits that weights come from; none where a file is scored as it is."""
        return self.data.train if self.recipe.epochs_of(calibration) else []


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises:
        InputError: the file is missing or no YAML; a key is unknown, missing or holds a value that
            is not allowed. The message names the key, the value and what is allowed.
    """
    from yaml import YAMLError

    from eacnet.config.yaml12 import read_yaml

    try:
        values = read_yaml(path)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run this in the project's top folder") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        said = re.sub(r"(\S{200})\S+", r"\1...", _explain(error.errors()))
        raise InputError(f"{path}: {said}") from None


def _explain(errors: list[Any]) -> str:
    """Return one line for the first thing that is wrong: key, value, what is allowed."""
    # A misspelt key is unknown under one name and missing under the other: the first says more.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    key = _key(first)
    if first["type"] == "extra_forbidden":
        return f"unknown key {key}; remove it or check its spelling"
    if first["type"] == "missing":
        return f"key {key} is missing"
    # A value that fits none of several forms has an error for each; the deepest one fits best.
    related = [error for error in errors if _key(error).startswith(key)]
    deepest = max(related, key=lambda error: len(_key(error)))
    same = [error for error in related if _key(error) == _key(deepest)]
    message = " or ".join(
        error["msg"].removeprefix("Value error, ").replace("Input should be ", "") for error in same
    )
    if not key:
        return message
    return f"{_key(deepest)} is {deepest['input']!r}; allowed: {message}"


def _key(error: Any) -> str:
    # Parts of the path that name a branch of a union are pydantic's own, not the user's.
    return ".".join(str(part) for part in error["loc"] if "[" not in str(part))
