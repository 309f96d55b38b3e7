"""params.yaml as typed, checked objects.

DVC writes YAML 1.2, so it is read as such: `1e-3` is a number and `on` is a word.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from eacnet.errors import InputError

Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Split = Literal["train", "val", "test"]
Size = tuple[Positive, Positive]
DatasetName = Literal["synthetic", "camvid", "cityscapes", "folder"]
Backbone = Literal["dab", "erf", "enet", "resnet18"]
Baseline = Literal["erfnet"]
CalibrationName = Literal["none", "full", "pooled"]
Form = Literal["published", "eager", "compile", "onnxruntime", "openvino", "auto"]
Precision = Literal["fp32", "fp16", "bf16", "int8", "auto"]
# What the benchmark can time beside the network of `model`.
NETWORKS = (
    *(f"{b}-{c}" for b in get_args(Backbone) for c in get_args(CalibrationName)),
    "erfnet",
    "lraspp",
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


class Model(_Strict):
    """The network: a backbone, and whether and how its scores are calibrated."""

    backbone: Backbone
    calib: Annotated[bool, Field(strict=True)]
    attention: Literal["pooled", "full"]
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


class Dataset(_Strict):
    """Which splits are trained on, watched and scored."""

    train: Annotated[list[Split], Field(min_length=1)]
    validate_split: Split | None = Field(alias="validate")
    evaluate: Split

    @property
    def splits(self) -> list[Split]:
        """All splits in use, each once."""
        return list(
            dict.fromkeys([*self.train, self.validate_split or self.evaluate, self.evaluate])
        )


class Scenes(_Strict):
    """How many scenes of each split are drawn."""

    train: Positive
    val: Positive
    test: Positive


class Synthetic(Dataset):
    """The generated dataset: also how much of it, how large, and from which seed."""

    scenes: Scenes
    size: tuple[
        Annotated[int, Field(ge=64, le=1024)],
        Annotated[int, Field(ge=128, le=2048)],
    ]
    seed: Natural


class Datasets(_Strict):
    """One entry a dataset."""

    synthetic: Synthetic
    camvid: Dataset
    cityscapes: Dataset
    folder: Dataset


class Optimiser(_Strict):
    """SGD with momentum, Adam or AdamW.

    `weight_decay` is an L2 term of the gradient; in AdamW, a share of the weights times `lr`.
    """

    name: Literal["sgd", "adam", "adamw"]
    lr: Annotated[float, Field(gt=0)]
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)]


class Schedule(_Strict):
    """Linear warm-up from `warmup_start` x lr, then (1 - progress) ** power."""

    warmup_iterations: Natural
    warmup_start: Annotated[float, Field(gt=0, le=1)]
    power: Annotated[float, Field(ge=0)]
    step: Literal["iteration", "epoch"]


class Loss(_Strict):
    """Cross-entropy over all pixels or over the hard ones (OHEM), classes weighted or not."""

    name: Literal["cross_entropy", "ohem"]
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.7
    keep: Annotated[float, Field(gt=0, le=1)] = 0.0625
    class_weights: Literal["none", "log"] | list[Annotated[float, Field(gt=0)]]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Photometric(_Strict):
    """How far an image's colors are changed: factors from 1 - k to 1 + k, hue in turns."""

    brightness: Annotated[float, Field(ge=0, lt=1)] = 0.0
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0


class Recipe(_Strict):
    """How a network is trained."""

    epochs: Positive
    batch: Positive
    crop: Size
    scales: Annotated[list[Annotated[float, Field(ge=0.1, le=10)]], Field(min_length=1)]
    optimiser: Optimiser
    schedule: Schedule
    loss: Loss
    validate_every: Natural
    precision: Literal["fp32", "bf16"]
    compile: Annotated[bool, Field(strict=True)]
    init: Annotated[str, Field(min_length=1)] | None = None
    photometric: Photometric | None = None
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Ablation(_Strict):
    """Every backbone with every calibration, each with every seed; and whole networks beside."""

    backbones: Annotated[list[Backbone], Field(min_length=1)]
    calibrations: Annotated[list[CalibrationName], Field(min_length=1)]
    baselines: list[Baseline]
    seeds: Annotated[list[Natural], Field(min_length=1)]

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


def _network(name: str) -> str:
    if name not in ("model", *NETWORKS):
        raise ValueError(f"one of model, {', '.join(NETWORKS)}")
    return name


class Cross(_Strict):
    """Every network in every form, precision, size in pixels (height, width) and batch.

    Networks: "model" (the one that `model` describes), "<backbone>-<calibration>", "erfnet" (with
    its decoder) or "lraspp" (torchvision's).
    """

    networks: Annotated[list[Annotated[str, AfterValidator(_network)]], Field(min_length=1)]
    forms: Annotated[list[Form], Field(min_length=1)]
    precisions: Annotated[list[Precision], Field(min_length=1)] = ["fp32"]
    sizes: Annotated[list[Size], Field(min_length=1)]
    batches: Annotated[list[Positive], Field(min_length=1)] = [1]

    @model_validator(mode="after")
    def _possible(self) -> "Cross":
        if "published" in self.forms and self.precisions != ["fp32"]:
            raise ValueError(
                "the published form runs in fp32; list other precisions apart, without it"
            )
        if "lraspp" in self.networks and (self.forms, self.precisions) != (["eager"], ["fp32"]):
            raise ValueError("lraspp runs as torchvision has it; list it apart, eager in fp32")
        return self


class Benchmark(_Strict):
    """What is timed, and how long.

    Attributes:
        classes: K of every network.
        rows: what the tables show.
        scaling: how latency and memory grow with pixels and batch.
        modules: whose time is shared out among the parts of the network, per pass of one image.
        warm_up: seconds after which an entry is timed though its median hasn't settled.
        rounds: timed passes of every entry: at most, and at least where `seconds` is over before.
        seconds: for all timed passes of one image size.
    """

    classes: Annotated[int, Field(ge=2, le=254)]
    rows: Annotated[list[Cross], Field(min_length=1)]
    scaling: list[Cross] = []
    modules: list[Cross] = []
    warm_up: Annotated[float, Field(ge=0)]
    rounds: Positive
    least_rounds: Positive
    seconds: Annotated[float, Field(ge=0)]


class Report(_Strict):
    """What the report shows."""

    examples: Positive


class Hardware(_Strict):
    """Where it runs."""

    accelerator: Literal["auto", "cpu", "cuda"]
    devices: Positive
    workers: Natural
    data: Literal["auto", "host", "device"] = "auto"


class Params(_Strict):
    """All of params.yaml."""

    dataset: DatasetName
    variant: str
    seed: Natural
    model: Model
    datasets: Datasets
    recipes: dict[str, Recipe]
    ablation: Ablation
    benchmark: str
    benchmarks: dict[str, Benchmark]
    report: Report
    hardware: Hardware

    @model_validator(mode="after")
    def _recipe_exists(self) -> "Params":
        if self.experiment not in self.recipes:
            allowed = sorted(
                name.removeprefix(self.dataset)
                for name in self.recipes
                if name.startswith(self.dataset)
            )
            raise ValueError(
                f"variant is {self.variant!r}, but recipes has no {self.experiment!r}; "
                f"allowed for {self.dataset}: {', '.join(map(repr, allowed)) or 'none'}"
            )
        if self.recipe.init and self.model.pretrained != "none":
            raise ValueError(
                f"recipes.{self.experiment}.init is {self.recipe.init!r} and model.pretrained is "
                f"{self.model.pretrained!r}; a training starts from one of them"
            )
        return self

    @model_validator(mode="after")
    def _plan_exists(self) -> "Params":
        if self.benchmark not in self.benchmarks:
            raise ValueError(
                f"benchmark is {self.benchmark!r}; allowed: {', '.join(sorted(self.benchmarks))}"
            )
        return self

    @property
    def experiment(self) -> str:
        """The name under which weights and reports stand: dataset and variant."""
        return self.dataset + self.variant

    @property
    def data(self) -> Dataset:
        """The selected dataset's entry."""
        return getattr(self.datasets, self.dataset)

    @property
    def recipe(self) -> Recipe:
        """The selected recipe."""
        return self.recipes[self.experiment]


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises:
        InputError: the file is missing or no YAML; a key is unknown, missing or holds a value that
            is not allowed. The message names the key, the value and what is allowed.
    """
    try:
        values = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; run this in the project's top folder") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{path}: {_explain(error.errors())}") from None


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
