"""How sure a difference between networks is: resampled images, and repeated trainings.

Two things make a measured difference uncertain, and each has its own interval here. Other images of
the same kind would have scored differently: the paired percentile bootstrap over the evaluation
images (Efron and Tibshirani, 1993) tells how much, for just the networks that were trained. Another
seed would have trained another network: Student's t over the seeds tells how much, for just the
images that were scored. A difference is called significant only where neither interval holds 0.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from eacnet.evaluation import scores
from eacnet.evaluation.counts import BANDS, Counts

RESAMPLES = 10_000
SEED = 2020
LEVEL = 0.95
# Resamples that are scored at a time: 1000 confusion matrices of 19 classes take 3 MB.
_BLOCK = 1000

Interval = tuple[float, float]


def draw_images(images: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """Draw as many images as there are, with replacement, again and again.

    Returns:
        float64 (resamples, images): how often each image was drawn, whole numbers.
    """
    shares = np.full(images, 1 / images)
    return np.random.default_rng(seed).multinomial(images, shares, resamples).astype(np.float64)


def weighted_scores(counts: Counts, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Score a set of images in which image i occurs weights[r, i] times, for each r.

    Confusion matrices of the images are added up; boundary F1 is the mean over the images, as in
    `scores.boundary_f1`, so there it is the images' scores that are averaged.

    Args:
        counts: of N images and K classes.
        weights: (R, N), whole numbers; all 1 is the split as it is.

    Returns:
        Fractions, float64 (R,), NaN where there is nothing to score: miou, pixel_accuracy,
        band_miou_3, ..., boundary_f1; and class_iou, (R, K).
    """
    parts = [_block(counts, weights[i : i + _BLOCK]) for i in range(0, len(weights), _BLOCK)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def image_interval(differences: np.ndarray) -> np.ndarray:
    """Return the percentile interval of resampled differences: (R, ...) -> (2, ...).

    Resamples without a difference (NaN: a class that none of their images holds) are left out.
    """
    tail = 100 * (1 - LEVEL) / 2
    return np.nanpercentile(differences, [tail, 100 - tail], axis=0)


def seed_interval(differences: Sequence[float]) -> Interval | None:
    """Return Student's t interval of the mean of paired differences, one for each seed.

    Paired: both networks of a difference share the seed, and with it the order of frames and the
    augmentation. None for a single seed: one training says nothing about how much another one
    would differ. With few seeds the interval is honestly wide (two: 12.7 standard errors).
    """
    count = len(differences)
    if count < 2:
        return None
    quantile = stdtrit(count - 1, (1 + LEVEL) / 2)
    half = quantile * np.std(differences, ddof=1) / np.sqrt(count)
    mean = np.mean(differences)
    return float(mean - half), float(mean + half)


def is_significant(images: Interval, seeds: Interval | None) -> bool:
    """Tell whether 0 lies outside the images' interval, and outside the seeds' if there is one."""
    return all(low > 0 or high < 0 for low, high in (images, seeds or images))


def wins(ours: Sequence[Counts], theirs: Sequence[Counts]) -> dict[str, dict[str, int]]:
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


def _block(counts: Counts, weights: np.ndarray) -> dict[str, np.ndarray]:
    images, _, classes = counts.confusion.shape

    def total(confusion: np.ndarray) -> np.ndarray:
        # Sums of pixels stay far below 2 ** 53, so float64 holds them exactly.
        flat = confusion.reshape(images, -1).astype(np.float64)
        return (weights @ flat).reshape(-1, classes, classes)

    whole = total(counts.confusion)
    class_iou = scores.class_iou(whole)
    of_image = scores.boundary_f1(counts.boundary)  # (N,)
    return {
        "miou": scores.mean_of_present(class_iou),
        "pixel_accuracy": scores.pixel_accuracy(whole),
        **{
            f"band_miou_{width}": scores.mean_iou(total(counts.bands[:, i]))
            for i, width in enumerate(BANDS)
        },
        "boundary_f1": scores.ratio(
            weights @ np.nan_to_num(of_image), weights @ ~np.isnan(of_image)
        ),
        "class_iou": class_iou,
    }


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
