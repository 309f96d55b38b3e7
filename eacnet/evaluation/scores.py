"""From counts to scores: fractions in [0, 1], NaN where there is nothing to score.

Every function works on leading dimensions, (..., K, K) -> (...), so that thousands of resampled
confusion matrices are scored at once.
"""

from collections.abc import Sequence

import numpy as np


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
