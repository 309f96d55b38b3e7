"""A benchmark's plan in params.yaml: what is timed, in which forms and sizes, and how long."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from eacnet.config.names import (
    BACKBONES,
    BASELINES,
    CALIBRATIONS,
    PRECISIONS,
    RUNTIMES,
    Key,
    Positive,
    Real,
    Size,
    Strict,
)

NETWORKS = (*(f"{name}-{how}" for name in BACKBONES for how in CALIBRATIONS), *BASELINES)


class Grid(Strict):
    """Every network in every form, precision, size in pixels (height, width) and batch.

    A network is "<backbone>-<calibration>" or a baseline; a form is "published" or a runtime of
    the predictor.
    """

    networks: Annotated[list[Literal[NETWORKS]], Field(min_length=1)]
    forms: Annotated[list[Literal[("published", *RUNTIMES, "auto")]], Field(min_length=1)]
    precisions: list[Literal[(*PRECISIONS, "auto")]] = Field(["fp32"], min_length=1)
    sizes: Annotated[list[Size], Field(min_length=1)]
    batches: list[Positive] = Field([1], min_length=1)

    @model_validator(mode="after")
    def _possible(self) -> "Grid":
        if "published" in self.forms and self.precisions != ["fp32"]:
            raise ValueError(
                "the published form runs in fp32; list other precisions apart, without it"
            )
        return self


class Steps(Strict):
    """The training of every network by one of `recipes`, step by step."""

    networks: Annotated[list[Literal[NETWORKS]], Field(min_length=1)]
    recipe: Key


class Plan(Strict):
    """What is timed, and how long.

    Attributes:
        classes: K of every network.
        rows: what the tables show.
        scaling: how latency and memory grow with pixels and batch.
        modules: whose time is shared out among the parts of the network, per pass of one image.
        training: what a step of a training takes.
        warm_up: seconds after which a case is timed though its median hasn't settled.
        rounds: timed passes of every case, at most.
        least_rounds: timed passes of every case, even where `seconds` are over before.
        seconds: for the timed passes of all cases of one image size and batch, or of one training.
    """

    classes: Annotated[int, Field(ge=2, le=254)]
    rows: list[Grid] = Field([])
    scaling: list[Grid] = Field([])
    modules: list[Grid] = Field([])
    training: list[Steps] = Field([])
    warm_up: Annotated[Real, Field(ge=0)]
    rounds: Positive
    least_rounds: Positive
    seconds: Annotated[Real, Field(ge=0)]

    @field_validator("modules")
    @classmethod
    def _can_be_taken_apart(cls, grids: list[Grid]) -> list[Grid]:
        for grid in grids:
            known = {"published", "eager"}.issuperset(grid.forms) and grid.precisions == ["fp32"]
            if not known or grid.batches != [1]:
                raise ValueError("modules are timed as published and eager, in fp32 and batch 1")
        return grids

    @model_validator(mode="after")
    def _times_something(self) -> "Plan":
        if not self.rows and not self.training:
            raise ValueError("a plan with rows or training")
        return self
