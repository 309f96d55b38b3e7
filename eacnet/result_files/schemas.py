"""The schemas of the result files: which values are possible under the keys that readers use."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from eacnet.result_files.ablation import Ablation
from eacnet.result_files.values import ByClass, Count, Number, Part, Percent, Size, Text


class Code(Part):
    """The state of the code; null where it is not known."""

    commit: Text | None
    date: Text | None = None
    modified: list[str] | None = None


class Recipe(Part):
    """How a network was trained."""

    epochs: Count
    batch: Count = 1
    crop: Size = [1, 1]
    scales: list[Number] = []
    optimiser: dict[str, Any] = {}
    schedule: dict[str, Any] = {}
    loss: dict[str, Any] = {}


class Training(Part):
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


class Band(Part):
    """Scores within some distance of the true edges."""

    miou: Percent | None
    pixel_accuracy: Percent | None
    class_iou: ByClass
    pixels: Count


class Scores(Part):
    """Scores of a network, or of its coarse scores."""

    miou: Percent | None
    pixel_accuracy: Percent | None
    mean_class_accuracy: Percent | None
    class_iou: ByClass
    bands: Annotated[dict[Literal["3", "5", "9"], Band], Field(min_length=3)]


class Scored(Part):
    """How scores came about."""

    split: Text
    data: Text
    device: Text = "-"
    threads: Count = 1
    versions: dict[str, str] = {}
    weights: Text | None = None
    code: Code | None = None


class ScoredRun(Part):
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


class Attended(Part):
    """What is attended to: the entropy of its weights, and how far away it is."""

    entropy_nats: Annotated[float, Field(strict=True, ge=0, le=100)] | None = None
    entropy_share: Number | None = None
    distance_px: Number | None = None
    distance_px_uniform: Number | None = None


class Attention(Attended):
    """attention.json: what a calibration attends to; its name alone where there is none."""

    calibration: Text
    gamma: Number | None = None
    frames: Count | None = None
    positions: dict[str, Count] = {}
    per_class: dict[str, Attended | None] | None = None
    change: Number | None = None
    change_everywhere_alike: Number | None = None


class Row(Part):
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


class Step(Row):
    """A timing of a step of training, in a benchmark."""

    recipe: Recipe
    peak_memory_mb: Number | None = None


class Environment(Part):
    """reports/environment.json: the machine of the pipeline, without a chosen device."""

    cpu: dict[str, Any]
    gpus: list[dict[str, Any]] = []
    versions: dict[str, str] = {}


class Machine(Environment):
    """The machine of a benchmark."""

    device: Text
    cpu: dict[str, Any] = {}


class Speed(Part):
    """reports/speed/*.json: a benchmark."""

    machine: Machine
    plan: Text = "-"
    classes: Count = 1
    weights: Text = "-"
    rows: list[Row] = []
    scaling: list[Row] = []
    modules: list[Row] = []
    training: list[Step] = []
    skipped: list[Any] = []
    provenance: dict[str, Any] = {}


class Metrics(Part):
    """metrics.json of a run: headline figures by name."""

    miou: Percent


class Summary(Part):
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
    "environment": Environment,
}
