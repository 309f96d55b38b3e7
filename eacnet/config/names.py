"""What the classes of params.yaml have in common: strictness, and names and numbers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Split = Literal["train", "val", "test"]
Size = tuple[Positive, Positive]
DatasetName = Literal["synthetic", "camvid", "cityscapes", "folder"]
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
CalibrationName = Literal["none", "full", "pooled"]


class Strict(BaseModel):
    """An object that refuses unknown keys and numbers that are none, and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)
