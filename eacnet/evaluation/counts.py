"""The counts that one evaluation leaves behind, per image, so that scores can be resampled."""

import io
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from eacnet.errors import InputError
from eacnet.files import write_bytes

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

    def save(self, path: Path) -> None:
        """Write the counts to a compressed .npz file; the same counts give the same bytes."""
        content = io.BytesIO()  # a full disk in the midst of an archive is told unintelligibly
        np.savez_compressed(content, **self._arrays())
        write_bytes(path, content.getbuffer())

    @classmethod
    def load(cls, path: Path) -> "Counts":
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing or is no file of counts.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                counts = cls(**file)
            counts._check()
            return counts
        except FileNotFoundError:
            raise InputError(f"{path} is missing; `dvc repro` makes it") from None
        except Exception as error:  # a damaged archive can raise anything
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


def join(parts: list[Counts]) -> Counts:
    """Put the counts of several batches of images behind one another."""
    return Counts(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in parts[0]._arrays()
        }
    )
