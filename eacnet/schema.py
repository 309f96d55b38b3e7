"""What the classes of params.yaml have in common: strictness, and names and numbers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Split = Literal["train", "val", "test"]
Size = tuple[Positive, Positive]
DatasetName = Literal["synthetic", "camvid", "cityscapes", "folder"]
Backbone = Literal["dab", "erf", "enet", "resnet18"]
Baseline = Literal["erfnet"]
CalibrationName = Literal["none", "full", "pooled"]


class Strict(BaseModel):
    """An object that refuses unknown keys and numbers that are none, and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)
