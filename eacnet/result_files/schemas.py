"""The schemas of the result files: which values are possible under the keys that readers use."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

Number = Annotated[float, Field(strict=True, ge=-1e12, le=1e12)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
Count = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
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


# Of a score, or of a score of classes by class.
_KIND = Discriminator(
    lambda gain: "[one]" if isinstance(gain, dict) and "mean" in gain else "[classes]"
)
Gains = Annotated[Gain, Tag("[one]")] | Annotated[dict[str, Gain], Tag("[classes]")]


class Group(_Part):
    """Runs of the ablation that differ in their seed alone."""

    backbone: Text
    calibration: Text
    seeds: Annotated[list[Count], Field(min_length=1)]
    scores: dict[str, Spread]
    class_iou: dict[str, Spread]
    gains: dict[str, dict[str, Annotated[Gains, _KIND]]]
    bands: dict[str, dict[str, Any]] | None = None
    parameters: Count
    macs: Annotated[dict[Literal["height", "width", "total", "attention"], Count], _ALL_FOUR]


class Ablation(_Part):
    """ablation.json: all groups."""

    split: Text
    frames: Annotated[int, Field(strict=True, gt=0)]
    bootstrap: dict[str, Number] | None = None
    groups: Annotated[list[Group], Field(min_length=1)]


class Attended(_Part):
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


class Environment(_Part):
    """reports/environment.json: the machine of the pipeline, without a chosen device."""

    cpu: dict[str, Any]
    gpus: list[dict[str, Any]] = []
    versions: dict[str, str] = {}


class Machine(Environment):
    """The machine of a benchmark."""

    device: Text
    cpu: dict[str, Any] = {}


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
    "environment": Environment,
}
