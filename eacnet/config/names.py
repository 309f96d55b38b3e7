"""What the classes of params.yaml have in common: strictness, and names and numbers."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Whole numbers are written as such: DVC names stages by what stands there, so 1.0 is not 1.
Positive = Annotated[int, Field(gt=0, lt=2**31, strict=True)]
Natural = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
Real = Annotated[float, Field(strict=True)]  # no truth value, no text
# What every random generator takes, after the arithmetic that gives each epoch its own.
Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
# A name in params.yaml that becomes part of a file's name.
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
# A path; only a shell knows what ~ is.
Folder = Annotated[str, Field(min_length=1), AfterValidator(lambda path: _written_out(path))]
Split = Literal["train", "train_extra", "val", "test"]
Size = tuple[Positive, Positive]
# A dataset is a file of eacnet/datasets and carries its name; these files are the room's own.
_ROOM = Path(__file__).parents[1] / "datasets"
_TOOLS = {"__init__", "labels", "listing", "record", "table"}
DATASETS = tuple(sorted(path.stem for path in _ROOM.glob("*.py") if path.stem not in _TOOLS))
DatasetName = Literal[DATASETS]
# A network is a file of eacnet/models/backbones and a line here: the file's name and the class in
# it. A baseline stands as it was published, uncalibrated.
BACKBONES = {
    "dab": "DAB",
    "erf": "ERF",
    "enet": "ENet",
    "resnet18": "ResNet18",
    "pidnet_s": "PIDNetS",
    "ddrnet23_slim": "DDRNet23Slim",
    "bisenetv2": "BiSeNetV2",
    "fast_scnn": "FastSCNN",
    "cgnet": "CGNet",
}
BASELINES = {
    "erfnet": "ERFNet",
    "lraspp": "LRASPP",
}
# Those that were published with auxiliary heads, which take part in training alone.
AUXILIARY = ("pidnet_s", "ddrnet23_slim", "bisenetv2", "fast_scnn")
# The baseline that is a backbone and, behind it, its published decoder.
DECODED = {"erf": "erfnet"}
Backbone = Literal[tuple(BACKBONES)]
Baseline = Literal[tuple(BASELINES)]
# A calibration is a class of eacnet/models/attention.py, or of the file beside it that stands
# before the dot, and a line here; "none" has none.
CALIBRATIONS = {
    "none": None,
    "full": "Full",
    "pooled": "Pooled",
    "point": "Point",
    "local": "Local",
    "edge": "edge.Edge",
}
CalibrationName = Literal[tuple(CALIBRATIONS)]
# A runtime is a file there; to import it would load PyTorch.
_RUNTIMES = Path(__file__).parents[1] / "inference" / "runtimes"
RUNTIMES = tuple(sorted(path.stem for path in _RUNTIMES.glob("[!_]*.py")))
PRECISIONS = ("fp32", "bf16", "fp16", "int8")
# The share of pixels that must keep the label of eager fp32, for a choice among runtimes.
AGREEMENT = 0.999


def _written_out(path: str) -> str:
    if path.startswith("~"):
        raise ValueError("a path without ~, which means a home folder to a shell alone")
    if not path.isprintable():
        raise ValueError("a path without control characters")
    return path


def dataset_of(experiment: str) -> str:
    """Return the dataset of an experiment, whose name is the dataset's and the variant's."""
    fitting = [name for name in DATASETS if experiment.startswith(name)]
    return max(fitting, key=len, default=experiment.partition("_")[0])


class Strict(BaseModel):
    """An object that refuses unknown keys and numbers that are none, and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)
