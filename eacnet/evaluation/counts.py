"""The counts that one evaluation leaves behind, per image, so that scores can be resampled."""

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from eacnet.errors import InputError
from eacnet.files import replacing

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

    @property
    def before_calibration(self) -> "Counts | None":
        """The counts of the coarse prediction, whose boundaries are not counted; None without."""
        if self.coarse_confusion is None or self.coarse_bands is None:
            return None
        return Counts(self.coarse_confusion, self.coarse_bands, np.zeros_like(self.boundary))

    def save(self, path: Path) -> None:
        """Write the counts to a compressed .npz file; the same counts give the same bytes."""
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **self._arrays())

    @classmethod
    def load(cls, path: Path) -> "Counts":
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing or is no file of counts.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(**file)
        except FileNotFoundError:
            raise InputError(f"{path} is missing; `dvc repro` makes it") from None
        except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"{path} holds no counts ({error}); `dvc repro -f` remakes it"
            ) from None

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
