"""The counts that one evaluation leaves behind, per image, so that scores can be resampled."""

import base64
import json
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from eacnet.errors import InputError
from eacnet.files import read_json, write_text

# Greatest distance in pixels to the nearest ground-truth edge, narrowest band first.
BANDS = (3, 5, 9)
# The band in which the effect of the calibration is told apart from the rest of the image.
EFFECT_BAND = 5


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of N images and K classes, all int64.

    A network without calibration has no `coarse_...` arrays and no `effect`: its coarse scores are
    its scores.

    Attributes:
        confusion: (N, K, K), rows are the ground truth.
        bands: (N, 3, K, K), confusion within BANDS pixels of a ground-truth edge.
        boundary: (N, K, 4), pixels of the predicted boundary that are matched, all of them, pixels
            of the true boundary that are matched, all of them.
        coarse_confusion: (N, K, K), before the calibration.
        coarse_bands: (N, 3, K, K), before the calibration.
        effect: (N, 2, 4), inside and outside the band of EFFECT_BAND pixels; valid pixels, pixels
            that the calibration changes, corrects, breaks.
    """

    confusion: np.ndarray
    bands: np.ndarray
    boundary: np.ndarray
    coarse_confusion: np.ndarray | None = None
    coarse_bands: np.ndarray | None = None
    effect: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.confusion)

    def room(self, images: int) -> "Counts":
        """Return counts like these for so many images, to be `put` in.

        Memory that is kept for each image by itself would lie between the large blocks of one
        image and the next, which then find no place: 12 MB more for each of 1024x2048.
        """
        return Counts(
            **{
                name: np.zeros((images, *a.shape[1:]), a.dtype)
                for name, a in self._arrays().items()
            }
        )

    def put(self, first: int, part: "Counts") -> None:
        """Copy the counts of some images to where they belong, from image `first` on."""
        for name, array in part._arrays().items():
            getattr(self, name)[first : first + len(part)] = array

    @property
    def before_calibration(self) -> "Counts | None":
        """The counts of the coarse prediction, whose boundaries are not counted; None without."""
        if self.coarse_confusion is None or self.coarse_bands is None:
            return None
        return Counts(self.coarse_confusion, self.coarse_bands, np.zeros_like(self.boundary))

    def save(self, path: Path) -> None:
        """Write the counts as JSON, each array packed; the same counts give the same bytes.

        JSON, because DVC keeps runs of a stage whose results in Git are metrics or plots alone, and
        can't read NumPy's own files as either.
        """
        write_text(path, json.dumps({name: _pack(a) for name, a in self._arrays().items()}) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Counts":
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing or is no file of counts.
        """
        content = read_json(path)
        try:
            counts = cls(**{name: _unpack(**packed) for name, packed in content.items()})
            counts._check()
            return counts
        except (AttributeError, ValueError, TypeError, MemoryError, zlib.error) as error:
            raise InputError(
                f"{path} holds no counts ({error}); `dvc repro -f` remakes it"
            ) from None

    def _check(self) -> None:
        """Raise ValueError where the arrays are not those that the class describes."""
        images, classes = self.confusion.shape[:2]
        matrix = (classes, classes)
        shapes = {
            "confusion": (images, *matrix),
            "bands": (images, len(BANDS), *matrix),
            "boundary": (images, classes, 4),
            "coarse_confusion": (images, *matrix),
            "coarse_bands": (images, len(BANDS), *matrix),
            "effect": (images, 2, 4),
        }
        arrays = self._arrays()
        for name, array in arrays.items():
            if array.shape != shapes[name] or array.dtype != np.int64 or array.min(initial=0) < 0:
                raise ValueError(f"{name} is {array.dtype} {array.shape}, not int64 {shapes[name]}")
        if not images or not classes or len(arrays) not in (3, 6):
            raise ValueError("arrays are missing or empty")

    def _arrays(self) -> dict[str, np.ndarray]:
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: array for name, array in pairs if array is not None}


def _pack(array: np.ndarray) -> dict[str, Any]:
    """Return an array of int64 as JSON: its shape, and its little-endian bytes."""
    packed = zlib.compress(np.ascontiguousarray(array, "<i8").tobytes(), 9)
    return {"shape": list(array.shape), "int64": base64.b64encode(packed).decode("ascii")}


def _unpack(shape: list[int], int64: str) -> np.ndarray:
    raw = zlib.decompress(base64.b64decode(int64, validate=True))
    return np.frombuffer(raw, "<i8").reshape(shape).astype(np.int64)
