"""What the classes of params.yaml have in common: strictness, and names and numbers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
# What every random generator takes, after the arithmetic that gives each epoch its own.
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Split = Literal["train", "val", "test"]
Size = tuple[Positive, Positive]
DatasetName = Literal["synthetic", "camvid", "cityscapes", "folder"]
# A network is a file of eacnet/models and a line here: the file's name and the class in it. A
# baseline decodes up to full size, and so has no coarse scores to calibrate.
BACKBONES = {
    "dab": "DAB",
    "erf": "ERF",
    "enet": "ENet",
    "resnet18": "ResNet18",
}
BASELINES = {
    "erfnet": "ERFNet",
}
# The baseline that is a backbone and, behind it, its published decoder.
DECODED = {"erf": "erfnet"}
Backbone = Literal[tuple(BACKBONES)]
Baseline = Literal[tuple(BASELINES)]
CALIBRATIONS = {"none": None, "full": "Calibration", "pooled": "Calibration"}
CalibrationName = Literal["none", "full", "pooled"]


class Strict(BaseModel):
    """An object that refuses unknown keys and numbers that are none, and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)
