"""A recipe of params.yaml: how a network is trained."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from eacnet.config.names import Folder, Natural, Positive, Real, Size, Strict


class Optimiser(Strict):
    """SGD with momentum, Adam or AdamW.

    `weight_decay` is an L2 term of the gradient; in AdamW, a share of the weights times `lr`.
    """

    name: Literal["sgd", "adam", "adamw"]
    lr: Annotated[Real, Field(gt=0, le=1e38)]
    momentum: Annotated[Real, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[Real, Field(ge=0, le=1000)]

    @model_validator(mode="after")
    def _all_is_applied(self) -> "Optimiser":
        if self.momentum and self.name != "sgd":
            raise ValueError(f"{self.name} takes no momentum; leave it out, or choose sgd")
        return self


class Schedule(Strict):
    """Linear warm-up from `warmup_start` x lr, then (1 - progress) ** power."""

    warmup_iterations: Natural
    warmup_start: Annotated[Real, Field(gt=0, le=1)]
    power: Annotated[Real, Field(ge=0, le=1000)]
    step: Literal["iteration", "epoch"]


class Loss(Strict):
    """Cross-entropy over all pixels or over the hard ones (OHEM), classes weighted or not."""

    name: Literal["cross_entropy", "ohem"]
    threshold: Annotated[Real, Field(gt=0, lt=1)] = 0.7
    keep: Annotated[Real, Field(gt=0, le=1)] = 0.0625
    class_weights: Literal["none", "log"] | list[Annotated[Real, Field(gt=0, le=1_000_000)]]
    label_smoothing: Annotated[Real, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _all_is_applied(self) -> "Loss":
        fields = type(self).model_fields
        for name in ("threshold", "keep"):
            if self.name != "ohem" and getattr(self, name) != fields[name].default:
                raise ValueError(f"{self.name} takes no {name}; leave it out, or choose ohem")
        return self


class Photometric(Strict):
    """How far an image's colours are changed: factors from 1 - k to 1 + k, hue in turns."""

    brightness: Annotated[Real, Field(ge=0, lt=1)] = 0.0
    contrast: Annotated[Real, Field(ge=0, lt=1)] = 0.0
    saturation: Annotated[Real, Field(ge=0, le=1)] = 0.0
    hue: Annotated[Real, Field(ge=0, le=0.5)] = 0.0


class Recipe(Strict):
    """How a network is trained; 0 epochs take the weights of `init` as they are.

    With `trains: calibration` backbone and classifier stay as `init` has them: nothing else than
    the calibration changes. `calibration_lr` is a factor of its learning rate.
    """

    epochs: Natural
    batch: Positive
    crop: Size
    scales: Annotated[list[Annotated[Real, Field(ge=0.1, le=10)]], Field(min_length=1)]
    optimiser: Optimiser
    schedule: Schedule
    loss: Loss
    validate_every: Natural
    precision: Literal["fp32", "bf16"]
    compile: Annotated[bool, Field(strict=True)]
    init: Folder | None = None
    photometric: Photometric | None = None
    average: Annotated[Real, Field(ge=0, lt=1)] = 0.0
    auxiliary: Annotated[bool, Field(strict=True)] = False
    calibration_lr: Annotated[Real, Field(gt=0, le=1_000_000)] = 1.0
    trains: Literal["all", "calibration"] = "all"

    @field_validator("trains")
    @classmethod
    def _rest_is_trained(cls, value: str, info: ValidationInfo) -> str:
        if value == "calibration" and info.data.get("init", "") is None:
            raise ValueError("'all' where init is null; name the model file whose rest stays as is")
        if value == "calibration" and info.data.get("auxiliary"):
            raise ValueError("'all' where auxiliary is true, whose heads train a backbone")
        return value

    def epochs_of(self, calibration: str) -> int:
        """Return how long a network with `calibration` trains: 0 if there is nothing to train."""
        return 0 if (self.trains, calibration) == ("calibration", "none") else self.epochs
