"""A benchmark's plan in params.yaml: what is timed, in which forms and sizes, and how long."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from eacnet.config.names import (
    PRECISIONS,
    RUNTIMES,
    Backbone,
    Baseline,
    CalibrationName,
    Positive,
    Size,
    Strict,
)

Form = Literal[("published", *RUNTIMES, "auto")]
Precision = Literal[(*PRECISIONS, "auto")]
# What the benchmark can time beside the network of `model`.
NETWORKS = (
    *(f"{b}-{c}" for b in get_args(Backbone) for c in get_args(CalibrationName)),
    *get_args(Baseline),
    "lraspp",
)


def _network(name: str) -> str:
    if name not in ("model", *NETWORKS):
        raise ValueError(f"one of model, {', '.join(NETWORKS)}")
    return name


class Cross(Strict):
    """Every network in every form, precision, size in pixels (height, width) and batch.

    Networks: "model" (the one that `model` describes), "<backbone>-<calibration>", "erfnet" (with
    its decoder) or "lraspp" (torchvision's).
    """

    networks: Annotated[list[Annotated[str, AfterValidator(_network)]], Field(min_length=1)]
    forms: Annotated[list[Form], Field(min_length=1)]
    precisions: list[Precision] = Field(["fp32"], min_length=1)
    sizes: Annotated[list[Size], Field(min_length=1)]
    batches: list[Positive] = Field([1], min_length=1)

    @model_validator(mode="after")
    def _possible(self) -> "Cross":
        if "published" in self.forms and self.precisions != ["fp32"]:
            raise ValueError(
                "the published form runs in fp32; list other precisions apart, without it"
            )
        if "lraspp" in self.networks and (self.forms, self.precisions) != (["eager"], ["fp32"]):
            raise ValueError("lraspp runs as torchvision has it; list it apart, eager in fp32")
        return self


class Benchmark(Strict):
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
    scaling: list[Cross] = Field([])
    modules: list[Cross] = Field([])
    warm_up: Annotated[float, Field(ge=0)]
    rounds: Positive
    least_rounds: Positive
    seconds: Annotated[float, Field(ge=0)]

    @field_validator("modules")
    @classmethod
    def _can_be_taken_apart(cls, crosses: list[Cross]) -> list[Cross]:
        for cross in crosses:
            known = {"published", "eager"}.issuperset(cross.forms) and cross.precisions == ["fp32"]
            if not known or "lraspp" in cross.networks or cross.batches != [1]:
                raise ValueError(
                    "the project's own networks in forms published and eager, in fp32 and batch 1"
                )
        return crosses
