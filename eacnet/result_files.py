"""What the result files hold: each is read through here, so that a damaged one is named as such.

A schema says which values are possible. Keys that it does not name are let through, and those that
not every version wrote may be absent, so that reports of earlier versions can still be read; who
asks for a key that is not there gets the same kind of error, from `Facts`.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from eacnet.errors import InputError
from eacnet.files import read_json

Number = Annotated[float, Field(strict=True)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Count = Annotated[int, Field(strict=True, ge=0)]
Text = Annotated[str, Field(strict=True, min_length=1)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]
Size = Annotated[list[Annotated[int, Field(strict=True, gt=0)]], Field(min_length=2, max_length=2)]
_ALL_FOUR = Field(min_length=4)
ByClass = Annotated[dict[str, Percent | None], Field(min_length=1)]


class _Part(BaseModel):
    """Part of a file: known keys are checked, others let through."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)


class Code(_Part):
    """The state of the code; null where it is not known."""

    commit: Text | None
    date: Text | None = None
    modified: list[str] | None = None


class Recipe(_Part):
    """How a network was trained."""

    epochs: Count
    batch: Count = 1
    crop: Size = [1, 1]
    scales: list[Number] = []
    optimiser: dict[str, Any] = {}
    schedule: dict[str, Any] = {}
    loss: dict[str, Any] = {}


class Training(_Part):
    """training.json: the facts of a training."""

    backbone: Text
    calibration: Text
    seed: Count
    recipe: Recipe
    trained_on: list[Text]
    data: Text
    device: Text = "-"
    code: Code | None = None
    versions: dict[str, str] = {}
    init: dict[str, Any] | None = None
    pretrained: list[str] | None = None


class Band(_Part):
    """Scores within some distance of the true edges."""

    miou: Percent | None
    pixel_accuracy: Percent | None
    class_iou: ByClass
    pixels: Count


class Scores(_Part):
    """Scores of a network, or of its coarse scores."""

    miou: Percent | None
    pixel_accuracy: Percent | None
    mean_class_accuracy: Percent | None
    class_iou: ByClass
    bands: Annotated[dict[Literal["3", "5", "9"], Band], Field(min_length=3)]


class Scored(_Part):
    """How scores came about."""

    split: Text
    data: Text
    device: Text = "-"
    threads: Count = 1
    versions: dict[str, str] = {}
    weights: Text | None = None
    code: Code | None = None


class ScoredRun(_Part):
    """evaluation.json, of which only the origin is of interest."""

    provenance: Scored


class Evaluation(Scores):
    """evaluation.json: every score of one run."""

    category_miou: Percent | None
    category_iou: dict[str, Percent | None] | None
    boundary_f1: Percent | None
    class_boundary_f1: ByClass
    coarse: Scores | None
    effect: dict[str, dict[str, Number | None]] | None
    confusion: list[list[Count]]
    frames: Annotated[int, Field(strict=True, gt=0)]
    provenance: Scored

    @model_validator(mode="after")
    def _square(self) -> "Evaluation":
        classes = len(self.class_iou)
        if [len(row) for row in self.confusion] != [classes] * classes:
            raise ValueError(f"confusion is no matrix of {classes} by {classes} classes")
        return self


class Spread(_Part):
    """A score over seeds."""

    mean: Number
    std: Number | None


class Gain(Spread):
    """A difference between two groups of runs."""

    images: Pair
    seeds: Pair | None


class Group(_Part):
    """Runs of the ablation that differ in their seed alone."""

    backbone: Text
    calibration: Text
    seeds: Annotated[list[Count], Field(min_length=1)]
    scores: dict[str, Spread]
    class_iou: dict[str, Spread]
    gain: dict[str, Gain] | None
    class_gain: dict[str, Gain] | None = None
    bands: dict[str, dict[str, Any]] | None = None
    parameters: Count
    macs: Annotated[dict[Literal["height", "width", "total", "attention"], Count], _ALL_FOUR]


class Ablation(_Part):
    """ablation.json: all groups."""

    split: Text
    frames: Annotated[int, Field(strict=True, gt=0)]
    bootstrap: dict[str, Number] | None = None
    groups: Annotated[list[Group], Field(min_length=1)]


class Attention(_Part):
    """attention.json: what a calibration attends to; its name alone where there is none."""

    calibration: Text
    gamma: Number | None = None
    frames: Count | None = None
    per_class: dict[str, dict[str, Number | None] | None] | None = None


class Row(_Part):
    """One timed network; times are null where it could not run, with the reason."""

    network: Text
    backbone: Text
    calibration: Text
    form: Text
    precision: Text
    height: Count
    width: Count
    batch: Count
    median_ms: Number | None = None
    fps: Number | None = None
    reason: str | None = None
    shares: dict[str, Number] | None = None


class Machine(_Part):
    """The machine of a benchmark, or of the pipeline (environment.json)."""

    device: Text
    cpu: dict[str, Any] = {}
    gpus: list[dict[str, Any]] = []
    versions: dict[str, str] = {}


class Speed(_Part):
    """reports/speed/*.json: a benchmark."""

    machine: Machine
    plan: Text = "-"
    classes: Count = 1
    weights: Text = "-"
    rows: list[Row] = []
    scaling: list[Row] = []
    modules: list[Row] = []
    skipped: list[Any] = []
    provenance: dict[str, Any] = {}


class Metrics(_Part):
    """metrics.json of a run: headline figures by name."""

    miou: Percent


class Summary(_Part):
    """metrics.json of an experiment: mean mIoU and gain by backbone and calibration."""

    ablation: Annotated[dict[str, dict[str, Number]], Field(min_length=1)]


SCHEMAS = {
    "training": Training,
    "evaluation": Evaluation,
    "scored": ScoredRun,
    "metrics": Metrics,
    "summary": Summary,
    "ablation": Ablation,
    "attention": Attention,
    "speed": Speed,
    "environment": Machine,
}


class Facts(dict):
    """An object of a result file: a key that it lacks is the file's fault, and said as such."""

    def __init__(self, where: str, content: dict[str, Any]) -> None:
        super().__init__({key: _facts(f"{where}{key}.", value) for key, value in content.items()})
        self._where = where

    def __missing__(self, key: str) -> Any:
        raise InputError(f"{self._where}{key} is missing; `dvc repro -f` remakes it")


def _facts(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        return Facts(where, value)
    if isinstance(value, list):
        return [_facts(f"{where}{index}.", each) for index, each in enumerate(value)]
    return value


def read_result(path: Path, kind: str) -> dict[str, Any]:
    """Read a result file and check it against its schema.

    Args:
        path: the file.
        kind: one of SCHEMAS.

    Returns:
        Its content as JSON types, as it stands there.

    Raises:
        InputError: the file is missing, no JSON, or lacks a key or holds a wrong value; one line
            that names file and key.
    """
    content = read_json(path)
    try:
        SCHEMAS[kind].model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_explain(error)}; `dvc repro -f` remakes it") from None
    return facts(path, content)


def facts(path: Path, content: Any) -> Any:
    """Return the content of a file such that a key that it lacks is told by file and key."""
    return _facts(f"{path}: key ", content)


def _explain(error: ValidationError) -> str:
    # Of a value that may also be null or something else, the first reason is enough.
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
    if first["type"] == "missing":
        return f"key {key} is missing"
    reason = first["msg"].removeprefix("Value error, ").replace("Input should be ", "")
    value = repr(first["input"])
    if not key:
        return reason if first["type"] == "value_error" else f"is {value[:40]}; allowed: {reason}"
    return f"key {key} is {value[:40]}; allowed: {reason}"
