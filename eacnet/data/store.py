"""The prepared store: a dataset decoded once, so that training reads just the pixels it needs.

<store>/dataset.json              classes, mean, class frequencies, splits, checksums
<store>/<split>/images.npy        uint8 (N,H,W,3), RGB
<store>/<split>/labels.npy        uint8 (N,H,W), train ids, 255 = ignored

Where the frames of a split are of several sizes, they stand one after the other instead: images
(pixels,3) and labels (pixels), and <split>/sizes.npy, int64 (N,2), has height and width of each.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from eacnet.data.frames import Frames, sizes_of
from eacnet.datasets.labels import IGNORED
from eacnet.errors import InputError
from eacnet.files import read_json
from eacnet.progress import progress
from eacnet.result_files import facts

# Frames of a split whose labels are looked at on opening, and the step between their pixels.
SAMPLED, STEP = 8, 16


@dataclass(frozen=True)
class Split:
    """One split of a store, memory-mapped.

    Attributes:
        images: uint8 (N,H,W,3), RGB; a sequence of (H,W,3) where sizes differ.
        labels: uint8 (N,H,W), train ids, 255 = ignored; or a sequence of (H,W).
        ids: the frames' names.
    """

    images: np.ndarray | Frames
    labels: np.ndarray | Frames
    ids: list[str]

    @property
    def sizes(self) -> np.ndarray:
        """(height, width) of each frame, int (N,2)."""
        return sizes_of(self.images)


@dataclass(frozen=True)
class Store:
    """A prepared dataset: what dataset.json says, and where its splits lie."""

    root: Path
    info: dict[str, Any]

    @property
    def num_classes(self) -> int:
        """Number of trained classes."""
        return len(self.info["classes"])

    @property
    def typical_size(self) -> tuple[int, int]:
        """(height, width) of all frames, or the one that most of them have."""
        return tuple(self.info["size"] or self.info["sizes"]["most_common"])

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over the recorded checksums of all splits: the identity of the data."""
        text = "".join(f"{k}{v['sha256']}" for k, v in sorted(self.info["splits"].items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def check_classes(self, classes: list[dict[str, Any]], weights: Path) -> None:
        """Refuse weights that predict other classes, or in another order, than the data has.

        Raises:
            InputError: they do; names both lists.
        """
        ours, theirs = (
            [entry["name"] for entry in each] for each in (self.info["classes"], classes)
        )
        if ours != theirs:
            raise InputError(
                f"{weights} was trained on the classes {', '.join(theirs)}, the data has"
                f" {', '.join(ours)}; train again"
            )

    def split(self, name: str) -> Split:
        """Open a split without reading it, but for a sample of its labels.

        Raises:
            InputError: the store lacks the split or its files, or they are not what it records.
        """
        folder = self.root / name
        try:
            if name not in self.info["splits"]:
                raise ValueError(f"dataset.json has {', '.join(self.info['splits'])}")
            images, labels = _open(folder / "images.npy"), _open(folder / "labels.npy")
            if (folder / "sizes.npy").exists():
                sizes = np.array(_open(folder / "sizes.npy", np.int64))
                images, labels = Frames(images, sizes), Frames(labels, sizes)
            split = Split(images, labels, self.info["splits"][name]["ids"])
            self._check(split)
        except (OSError, EOFError, ValueError, TokenError) as error:
            raise InputError(
                f"{self.root} has no usable split {name!r} ({error}); run `dvc repro -f prepare`"
            ) from None
        return split

    def verify(self) -> None:
        """Compare all pixels with the recorded checksums; reads the whole store.

        Raises:
            InputError: a split's files are not those that were prepared.
        """
        for name, entry in self.info["splits"].items():
            split = self.split(name)
            digest = Digest()
            frames = zip(split.images, split.labels, strict=True)
            for image, labels in progress(
                frames, total=len(split.ids), desc=f"verify {name}", unit="frame"
            ):
                digest.add(image, labels)
            if digest.hexdigest(split.sizes) != entry["sha256"]:
                raise InputError(
                    f"{self.root}/{name} holds other pixels than its checksum says; "
                    "run `dvc repro -f prepare`"
                )

    def _check(self, split: Split) -> None:
        """Raise a ValueError where a split's arrays can't be what dataset.json describes."""
        arrays = split.images, split.labels
        if isinstance(split.images, Frames):
            sizes = split.images.all_sizes
            if sizes.ndim != 2 or sizes.shape[1] != 2 or sizes.min() < 1:
                raise ValueError("sizes.npy holds no heights and widths")
            pixels = int(sizes.prod(1).sum())
            shapes, expected = [a.flat.shape for a in arrays], [(pixels, 3), (pixels,)]
        else:
            shapes = [array.shape for array in arrays]
            height_width = split.labels.shape[1:]
            expected = [(len(split.ids), *height_width, 3), (len(split.ids), *height_width)]
            if len(height_width) != 2:
                raise ValueError(f"labels are {shapes[1]}, not (N,H,W)")
        if shapes != expected:
            raise ValueError(f"images are {shapes[0]} and labels {shapes[1]}, not {expected}")
        if len(split.images) != len(split.ids):
            raise ValueError(f"it holds {len(split.images)} frames of {len(split.ids)}")
        size = self.info.get("size")
        if size and not (split.sizes == size).all():
            raise ValueError(f"its frames are not of {size[0]}x{size[1]}")
        for frame in np.linspace(0, len(split.ids) - 1, min(SAMPLED, len(split.ids))).astype(int):
            seen = np.array(split.labels[frame][::STEP, ::STEP])
            if ((seen >= self.num_classes) & (seen != IGNORED)).any():
                raise ValueError(f"frame {split.ids[frame]} holds a class that is none")


class Digest:
    """SHA-256 over the pixels of a split's frames, and over their sizes where these differ."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def add(self, image: np.ndarray, labels: np.ndarray) -> None:
        """Take in a frame: uint8 (H,W,3) and (H,W)."""
        self.sha256.update(np.ascontiguousarray(image))
        self.sha256.update(np.ascontiguousarray(labels))

    def hexdigest(self, sizes: np.ndarray) -> str:
        """Return the checksum of frames of these sizes, int (N,2)."""
        whole = self.sha256.copy()
        if (sizes != sizes[0]).any():
            whole.update(np.ascontiguousarray(sizes, "<i8"))
        return whole.hexdigest()


_Level = Annotated[float, Field(ge=0, le=255)]
_Size = tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]


class _Class(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    category: str
    color: tuple[_Level, _Level, _Level]


class _Part(BaseModel):
    frames: Annotated[int, Field(gt=0)]
    sha256: str
    ids: list[str]


class _Sizes(BaseModel):
    most_common: _Size


class _Info(BaseModel):
    """What dataset.json holds; what is there must be possible."""

    size: _Size | None = None
    sizes: _Sizes | None = None
    classes: Annotated[list[_Class], Field(min_length=2)]
    mean: tuple[_Level, _Level, _Level]
    frequencies: list[Annotated[float, Field(ge=0, le=1)]]
    splits: dict[str, _Part]


def open_store(root: Path) -> Store:
    """Open the prepared store at `root`.

    Raises:
        InputError: it is missing, or its dataset.json is broken or contradicts itself.
    """
    path = root / "dataset.json"
    info = read_json(path)
    try:
        checked = _Info.model_validate(info)
        if len(checked.frequencies) != len(checked.classes):
            raise ValueError("there are not as many frequencies as classes")
        if len({entry.name for entry in checked.classes}) < len(checked.classes):
            raise ValueError("a class is there twice")
        for name, part in checked.splits.items():
            if not len(part.ids) == len(set(part.ids)) == part.frames:
                raise ValueError(f"{name} has {part.frames} frames but not as many different ids")
    except ValidationError as error:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError(
            f"{path} describes no prepared store ({reason}); run `dvc repro -f prepare`"
        ) from None
    except ValueError as error:
        raise InputError(
            f"{path} contradicts itself: {error}; run `dvc repro -f prepare`"
        ) from None
    return Store(root, facts(path, info))


def _open(path: Path, dtype: type = np.uint8) -> np.ndarray:
    array = np.lib.format.open_memmap(path, mode="r")
    if array.dtype != dtype:
        raise ValueError(f"{path.name} holds {array.dtype} instead of {dtype.__name__}")
    return array
