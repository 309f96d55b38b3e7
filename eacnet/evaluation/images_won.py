"""On how many images one network beats another, by distance from the edges."""

from collections.abc import Sequence

import numpy as np

from eacnet.evaluation.counts import BANDS, Counts


def images_won(ours: Sequence[Counts], theirs: Sequence[Counts]) -> dict[str, dict[str, int]]:
    """Count the images on which one network classifies more pixels right than the other, by band.

    Args:
        ours: counts of the same images, one for each seed.
        theirs: those of the other network, for the same seeds.

    Returns:
        Band ("3", ..., and "outside": further from any edge than the widest) -> won, lost, tied.
        The right pixels of all seeds are added up; images without pixels in a band do not count.
    """
    table = {}
    for band, (own, other, pixels) in _right_pixels(ours, theirs).items():
        own, other = own[pixels > 0], other[pixels > 0]
        outcomes = {"won": own > other, "lost": own < other, "tied": own == other}
        table[band] = {name: int(outcome.sum()) for name, outcome in outcomes.items()}
    return table


def _right_pixels(
    ours: Sequence[Counts], theirs: Sequence[Counts]
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return, by band, the right pixels of both, and all pixels, of each image: three (N,)."""

    def regions(runs: Sequence[Counts]) -> np.ndarray:  # (bands + 1, N, K, K)
        bands = sum(run.bands for run in runs)
        outside = sum(run.confusion for run in runs) - bands[:, -1]
        return np.concatenate([bands, outside[:, None]], axis=1).swapaxes(0, 1)

    names = [*map(str, BANDS), "outside"]
    return {
        name: (own.trace(axis1=1, axis2=2), other.trace(axis1=1, axis2=2), own.sum((1, 2)))
        for name, own, other in zip(names, regions(ours), regions(theirs), strict=True)
    }
