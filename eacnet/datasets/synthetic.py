"""Generated street scenes, labelled and laid out as Cityscapes is."""

from typing import Annotated

from pydantic import Field

from eacnet.config.dataset import DatasetParams
from eacnet.config.names import Natural, Positive, Strict
from eacnet.datasets.cityscapes import DATASET as CITYSCAPES
from eacnet.datasets.cityscapes import FINE, IMAGES, LABELS
from eacnet.datasets.record import Dataset, Reading


class Scenes(Strict):
    """How many scenes of each split are drawn."""

    train: Positive
    val: Positive
    test: Positive


class Params(DatasetParams):
    """Also how much of it is drawn, how large, and from which seed."""

    scenes: Scenes
    size: tuple[
        Annotated[int, Field(ge=64, le=1024)],
        Annotated[int, Field(ge=128, le=2048)],
    ]
    seed: Natural


DATASET = Dataset(
    title="generated street scenes",
    how_to_get="`dvc repro` draws it",
    images=IMAGES,
    readings={
        "fine": Reading(
            "generated street scenes, Cityscapes label ids -> 19 train ids", FINE, LABELS
        )
    },
    others=CITYSCAPES.others,
    drawn=True,
    available="yes",
    access="the scenes are drawn from a seed, so the generator is the dataset; it is under the"
    " project's MIT licence",
    licence="MIT",
    links={"generator": "eacnet/scenes", "licence": "LICENSE"},
    collected="nothing was annotated by hand: scenes and labels are drawn together by a program,"
    " from the seed, sizes and numbers in params.yaml",
    like="cityscapes",
)
