"""What a dataset's file says of it; everything else asks this record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from eacnet.datasets.labels import Label, described
from eacnet.datasets.table import read_table
from eacnet.errors import InputError


@dataclass(frozen=True)
class Reading:
    """One way of reading a dataset's labels.

    Attributes:
        protocol: what a table says of it.
        labels: pattern of the label files, see `Dataset`.
        table: what their values mean; empty: the dataset's own classes.csv says it.
        colours: label files show the colours of the table instead of holding its ids.
        called: how label files are called, where images may have others beside them.
    """

    protocol: str
    labels: str
    table: tuple[Label, ...] = ()
    colours: bool = False
    called: str = ""

    def classes(self, root: Path) -> tuple[Label, ...]:
        """Return the class table of the dataset at `root`.

        Raises:
            InputError: its classes.csv is missing or can't hold.
        """
        return self.table or read_table(root / "classes.csv")


@dataclass(frozen=True)
class Dataset:
    """A dataset as its owners ship it.

    Patterns are regular expressions for a whole path below the dataset's folder, with slashes and
    without the suffix. They have a group `id`, and `split` unless `split_of` tells it.

    Attributes:
        title: its name in headings.
        how_to_get: what to do where it is missing; completes "no dataset at data/raw/x; ...".
        images: pattern of the image files.
        readings: ways of reading its labels, by name; the first is the default.
        others: pattern of paths, with suffix, that belong to it and aren't read.
        split_of: from a frame's id to its split, or None: in no split.
        withheld: splits whose labels aren't public, and what to do instead of scoring them.
        suspect: frames whose labels are known to be wrong, and what is wrong with them.
        drawn: eacnet/scenes draws it, from its entry in params.yaml.
        fetch: puts it where it is missing, from an address; `source` is the default.
        source: the address.
        available: whether anybody can get it, as a checklist asks.
        access: how it can be had, in a sentence.
        licence: under which terms.
        links: where more is said of it, by link text; paths from the project's top folder.
        collected: how its frames were collected and labelled, where this project or its user did.
        like: the dataset whose published figures it can be held against.
        recipes: variant -> the publication whose recipe params.yaml takes over.
    """

    title: str
    how_to_get: str
    images: str
    readings: Mapping[str, Reading]
    others: str = r"README\.md"
    split_of: Callable[[str], str | None] | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)
    suspect: Mapping[str, str] = field(default_factory=dict)
    drawn: bool = False
    fetch: Callable[[Path, str], None] | None = None
    source: str = ""
    available: Literal["yes", "partly", "no"] = "no"
    access: str = "how it can be had is not recorded"
    licence: str = "not recorded in this project"
    links: Mapping[str, str] = field(default_factory=dict)
    collected: str = ""
    like: str | None = None
    recipes: Mapping[str, str] = field(default_factory=dict)

    def reading(self, name: str | None = None) -> Reading:
        """Return a reading by its name, or the default one.

        Raises:
            InputError: it has no such reading.
        """
        if name is not None and name not in self.readings:
            raise InputError(
                f"{self.title} has no reading {name!r}; allowed: {', '.join(self.readings)}"
            )
        return self.readings[name or next(iter(self.readings))]

    @property
    def classes(self) -> list[dict]:
        """{"name", "category", "color"} of each class of the default reading; [] if not fixed."""
        return described(self.reading().table)
