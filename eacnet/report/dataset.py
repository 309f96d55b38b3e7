"""What is told of a dataset, until its own file of eacnet/datasets tells it (`datasets.find`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Facts:
    """A dataset in words.

    Attributes:
        title: its name in headings.
        available: "yes", "partly" or "no": whether anybody can get it.
        access: how it can be had, in a sentence.
        links: where more is said of it, by link text; paths from the project's top folder.
        collected: how its frames were collected and labelled, where this project did.
        like: the dataset whose published figures it can be held against.
    """

    title: str
    available: str = "no"
    access: str = "how it can be had is not recorded"
    links: Mapping[str, str] = field(default_factory=dict)
    collected: str = ""
    like: str | None = None


def find(name: str) -> Facts:
    """Return what is told of a dataset; of an unknown one its name alone."""
    return _KNOWN.get(name) or Facts(name)


_KNOWN = {
    "synthetic": Facts(
        "generated street scenes",
        "yes",
        "the scenes are drawn from a seed, so the generator is the dataset; it is under the"
        " project's MIT licence",
        {"generator": "eacnet/scenes", "licence": "LICENSE"},
        "nothing was annotated by hand: scenes and labels are drawn together by a program, from the"
        " seed, sizes and numbers in params.yaml",
        "cityscapes",
    ),
    "camvid": Facts(
        "CamVid",
        "partly",
        "`make camvid` fetches it from the public repository and revision named here, and its"
        " content is checked against a checksum; under which licence its owners give the frames"
        " is not recorded in this project",
        {"source": "eacnet/datasets/camvid_source.py"},
    ),
    "cityscapes": Facts(
        "Cityscapes",
        "partly",
        "its owners give it to registered users only, so it cannot be linked; the two commands"
        " that fetch it are here",
        {"how to get it": "data/raw/cityscapes/README.md"},
    ),
    "folder": Facts(
        "a user's own frames",
        "no",
        "the frames are the user's own; where they can be had, and under which licence, only the"
        " user can say",
        {"layout": "data/raw/folder/README.md"},
        "only the user who collected the frames can say",
    ),
}
