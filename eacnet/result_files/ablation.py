"""The schema of ablation.json: groups of runs, and what one gains over another."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from eacnet.result_files.values import Count, Number, Pair, Part, Text


class Spread(Part):
    """A score over seeds."""

    mean: Number
    std: Number | None


class Gain(Spread):
    """A difference between two groups of runs."""

    images: Pair
    seeds: Pair | None
    joint: Pair | None = None
    p: Number | None = None
    holm: Number | None = None
    detectable: Number | None = None
    significant: Annotated[bool, Field(strict=True)] | None = None


# Of a score, or of a score of classes by class.
_KIND = Discriminator(
    lambda gain: "[one]" if isinstance(gain, dict) and "mean" in gain else "[classes]"
)
Gains = Annotated[Gain, Tag("[one]")] | Annotated[dict[str, Gain], Tag("[classes]")]


class Group(Part):
    """Runs of the ablation that differ in their seed alone."""

    backbone: Text
    calibration: Text
    seeds: Annotated[list[Count], Field(min_length=1)]
    scores: dict[str, Spread]
    class_iou: dict[str, Spread]
    gains: dict[str, dict[str, Annotated[Gains, _KIND]]]
    bands: dict[str, dict[Literal["won", "lost", "tied"], Count]] | None = None
    parameters: Count
    macs: Annotated[
        dict[Literal["height", "width", "total", "attention"], Count], Field(min_length=4)
    ]


class Ablation(Part):
    """ablation.json: all groups."""

    split: Text
    frames: Annotated[int, Field(strict=True, gt=0)]
    bootstrap: dict[str, Number] | None = None
    groups: Annotated[list[Group], Field(min_length=1)]
