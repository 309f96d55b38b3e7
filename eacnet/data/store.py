"""The prepared store: a dataset decoded once, so that training reads just the pixels it needs.

<store>/dataset.json              classes, mean, std, class frequencies, splits, checksums
<store>/<split>/images.npy        uint8 (N,H,W,3), RGB
<store>/<split>/labels.npy        uint8 (N,H,W), train ids, 255 = ignored
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eacnet.errors import InputError
from eacnet.result_files import read_result


@dataclass(frozen=True)
class Split:
    """One split of a store: images uint8 (N,H,W,3), labels uint8 (N,H,W), both memory-mapped."""

    images: np.ndarray
    labels: np.ndarray
    ids: list[str]


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
    def checksum(self) -> str:
        """SHA-256 over the checksums of all splits: the identity of the data."""
        text = "".join(f"{k}{v['sha256']}" for k, v in sorted(self.info["splits"].items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def split(self, name: str) -> Split:
        """Open a split, without reading it.

        Raises:
            InputError: the store lacks the split or its files.
        """
        try:
            ids = self.info["splits"][name]["ids"]
            images = np.load(self.root / name / "images.npy", mmap_mode="r")
            labels = np.load(self.root / name / "labels.npy", mmap_mode="r")
            if not images.dtype == labels.dtype == np.uint8 or images.ndim != 4:
                raise ValueError("not images and labels in uint8")
            if images.shape != (len(ids), *labels.shape[1:], 3) or len(labels) != len(ids):
                raise ValueError(f"{len(ids)} ids, images {images.shape}, labels {labels.shape}")
        except Exception as error:  # NumPy's reader can raise anything
            raise InputError(
                f"{self.root} has no usable split {name!r} ({error}); run `dvc repro prepare`"
            ) from None
        return Split(images, labels, ids)


def open_store(root: Path) -> Store:
    """Open the prepared store at `root`.

    Raises:
        InputError: it is missing or broken.
    """
    return Store(root, read_result(root / "dataset.json", "store"))
