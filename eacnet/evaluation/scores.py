"""From counts to scores: fractions in [0, 1], NaN where there is nothing to score.

SCORES, at the end, lists every score once. The result files, the ablation with its intervals and
the check of a report follow from it, so a further score is one more entry.

Every function works on leading dimensions, (..., K, K) -> (...), so that thousands of resampled
confusion matrices are scored at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from eacnet.evaluation.counts import BANDS, EFFECT_BAND, Counts

# Resamples that are scored at a time: 1000 confusion matrices of 19 classes take 3 MB.
_BLOCK = 1000


@dataclass(frozen=True)
class Score:
    """A score of a set of images in which image i occurs weights[r, i] times, for each r.

    Attributes:
        name: its key in result files.
        heading: its name for readers.
        of: counts of N images and weights, float64 (R, N), whole numbers -> fractions, (R,), or
            (R, K) for a score of each class; NaN where there is nothing to score. Tables take the
            highest for the best.
        headline: whether metrics.json has it; a score of each class never is.
    """

    name: str
    heading: str
    of: Callable[[Counts, np.ndarray], np.ndarray]
    headline: bool = True


def weighted_scores(counts: Counts, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return all SCORES by name, as `Score.of`; weights (1, N) of 1 are the split as it is."""
    blocks = [weights[first : first + _BLOCK] for first in range(0, len(weights), _BLOCK)]
    return {
        score.name: np.concatenate([score.of(counts, block) for block in blocks])
        for score in SCORES
    }


def class_iou(confusion: np.ndarray) -> np.ndarray:
    """Return TP / (TP + FP + FN) of each class: (..., K, K) -> float64 (..., K).

    NaN for a class that is in neither truth nor prediction. A class that is only predicted has 0.
    """
    hit = np.diagonal(confusion, axis1=-2, axis2=-1)
    return ratio(hit, confusion.sum(-1) + confusion.sum(-2) - hit)


def mean_iou(confusion: np.ndarray) -> np.ndarray:
    """Return the mean IoU over all classes in truth or prediction: (..., K, K) -> float64 (...)."""
    return mean_of_present(class_iou(confusion))


def class_accuracy(confusion: np.ndarray) -> np.ndarray:
    """Return the recall of each class, NaN if the truth lacks it: (..., K, K) -> (..., K)."""
    return ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(-1))


def pixel_accuracy(confusion: np.ndarray) -> np.ndarray:
    """Return the share of pixels whose class is right: (..., K, K) -> float64 (...)."""
    return ratio(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum((-2, -1)))


def category_iou(confusion: np.ndarray, categories: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the IoU of each category as Cityscapes defines it (Cordts et al., CVPR 2016).

    Classes of one category are merged: taking a car for a bus is no error among vehicles.

    Args:
        confusion: (..., K, K).
        categories: the category of each class, K names.

    Returns:
        Category -> float64 (...), in the order in which the categories first occur.
    """
    names = list(dict.fromkeys(categories))
    # (K, C): 1 where the class belongs to the category
    member = (np.array(categories)[:, None] == np.array(names)).astype(np.int64)
    iou = class_iou(member.T @ confusion @ member)
    return {name: iou[..., i] for i, name in enumerate(names)}


def class_boundary_f1(counts: np.ndarray) -> np.ndarray:
    """Return the boundary F1 of each class (Csurka et al., BMVC 2013).

    Args:
        counts: (..., K, 4): matched and all pixels of the predicted boundary, matched and all
            pixels of the true one.

    Returns:
        float64 (..., K): 2PR / (P + R); 0 if the boundary is in only one of the maps or nothing is
        matched, NaN if it is in neither.
    """
    found, predicted, recalled, true = np.moveaxis(counts, -1, 0)
    precision, recall = ratio(found, predicted), ratio(recalled, true)
    f1 = np.nan_to_num(ratio(2 * precision * recall, precision + recall))
    return np.where(predicted + true > 0, f1, np.nan)


def boundary_f1(counts: np.ndarray) -> np.ndarray:
    """Return the boundary F1 of each image: the mean over its classes, (..., K, 4) -> (...).

    A set of images is scored by the mean of its images' scores, which the paper argues for.
    """
    return mean_of_present(class_boundary_f1(counts))


def mean_of_present(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the mean over all values that are not NaN; NaN if there is none."""
    return ratio(np.nansum(scores, axis=axis), np.sum(~np.isnan(scores), axis=axis))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole; NaN where both are 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.true_divide(part, whole)


def total(confusion: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Add up the matrices of the images, weighted: (N, K, K) and (R, N) -> float64 (R, K, K)."""
    # Sums of pixels stay far below 2 ** 53, so float64 holds them exactly.
    flat = confusion.reshape(len(confusion), -1).astype(np.float64)
    return (weights @ flat).reshape(-1, *confusion.shape[1:])


def _band_miou(index: int, counts: Counts, weights: np.ndarray) -> np.ndarray:
    return mean_iou(total(counts.bands[:, index], weights))


def _boundary_f1(counts: Counts, weights: np.ndarray) -> np.ndarray:
    of_image = boundary_f1(counts.boundary)  # (N,)
    return ratio(weights @ np.nan_to_num(of_image), weights @ ~np.isnan(of_image))


def _coarse_miou(counts: Counts, weights: np.ndarray) -> np.ndarray:
    if counts.coarse_confusion is None:
        return np.full(len(weights), np.nan)
    return mean_iou(total(counts.coarse_confusion, weights))


SCORES: tuple[Score, ...] = (
    Score("miou", "mIoU", lambda c, w: mean_iou(total(c.confusion, w))),
    Score("pixel_accuracy", "pixel accuracy", lambda c, w: pixel_accuracy(total(c.confusion, w))),
    Score(
        "mean_class_accuracy",
        "mean class accuracy",
        lambda c, w: mean_of_present(class_accuracy(total(c.confusion, w))),
        headline=False,
    ),
    *(
        Score(
            f"band_miou_{width}",
            f"mIoU within {width} px",
            partial(_band_miou, index),
            headline=width == EFFECT_BAND,
        )
        for index, width in enumerate(BANDS)
    ),
    Score("boundary_f1", "boundary F1", _boundary_f1),
    Score("coarse_miou", "mIoU before calibration", _coarse_miou),
    Score("class_iou", "IoU", lambda c, w: class_iou(total(c.confusion, w)), headline=False),
)
