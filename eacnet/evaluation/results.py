"""The result files of one evaluation: headline metrics and all details, in percent."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eacnet.evaluation import scores
from eacnet.evaluation.counts import BANDS, Counts

_REGIONS = ("in_band", "outside")
_EVENTS = ("changed", "corrected", "broken")


def metrics(counts: Counts, classes: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the headline scores, flat: those that a row of `dvc exp show` has room for.

    Args:
        counts: of a whole split.
        classes: the entries of dataset.json, with "name" and "category".

    Returns:
        Percent, rounded to 4 decimals. A score that is not defined is absent.
    """
    found = _scored(counts, [entry["name"] for entry in classes])
    figures = {score.name: found[score.name] for score in scores.SCORES if score.headline}
    return {name: figure for name, figure in figures.items() if figure is not None}


def details(
    counts: Counts,
    classes: Sequence[dict[str, Any]],
    suspect: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return every score and the confusion matrix; what is not defined is None.

    Args:
        counts: of a whole split.
        classes: the entries of dataset.json, with "name" and "category".
        suspect: frames whose labels are doubted: id -> place in the split. They count everywhere
            but in `without`, which names them and has the mIoU of all others.
    """
    names = [entry["name"] for entry in classes]
    categories = [entry["category"] for entry in classes]
    confusion = counts.confusion.sum(0)
    boundary = scores.class_boundary_f1(counts.boundary)
    result = _summary(counts, names)
    result["category_miou"] = result["category_iou"] = None
    if all(categories):
        by_category = scores.category_iou(confusion, categories)
        result["category_iou"] = _by_name(by_category, by_category.values())
        result["category_miou"] = _percent(
            scores.mean_of_present(np.array(list(by_category.values())))
        )
    result["class_boundary_f1"] = _by_name(names, scores.mean_of_present(boundary, axis=0))
    before = counts.before_calibration
    result["coarse"] = before and _summary(before, names)
    result["effect"] = None if counts.effect is None else _effect(counts.effect.sum(0))
    result["confusion"] = confusion.tolist()
    result["frames"] = len(counts)
    if suspect:
        places = list(suspect.values())
        others = np.delete(counts.confusion, places, axis=0).sum(0)
        miou = _percent(scores.mean_iou(others))
        result["without"] = {"frames": list(suspect), "places": places, "miou": miou}
    return result


def suspect_frames(suspect: Sequence[str], ids: Sequence[str]) -> dict[str, int]:
    """Return the doubted frames that a split holds, as `details` takes them: id -> place."""
    return {frame: ids.index(frame) for frame in suspect if frame in ids}


def recorded_suspects(evaluation: Mapping[str, Any]) -> dict[str, int]:
    """Return the doubted frames that an evaluation.json names, as `details` takes them."""
    without = evaluation.get("without") or {"frames": [], "places": []}
    return dict(zip(without["frames"], without["places"], strict=True))


def _scored(counts: Counts, names: Sequence[str]) -> dict[str, Any]:
    """Return all SCORES of the split as it is; a score of each class by the classes' names."""
    found = scores.weighted_scores(counts, np.ones((1, len(counts))))
    return {
        name: _by_name(names, values[0]) if values.ndim > 1 else _percent(values[0])
        for name, values in found.items()
    }


def _summary(counts: Counts, names: Sequence[str]) -> dict[str, Any]:
    result = _scored(counts, names)
    result["bands"] = {
        str(width): {
            "miou": _percent(scores.mean_iou(band)),
            "pixel_accuracy": _percent(scores.pixel_accuracy(band)),
            "class_iou": _by_name(names, scores.class_iou(band)),
            "pixels": int(band.sum()),
        }
        for width, band in zip(BANDS, counts.bands.sum(0), strict=True)
    }
    return result


def _effect(effect: np.ndarray) -> dict[str, Any]:
    """Turn the counts (2, 4) into shares of the valid pixels of each region."""
    table = {}
    for region, (pixels, *events) in zip(_REGIONS, effect, strict=True):
        shares = scores.ratio(np.array(events), pixels)
        table[region] = {"pixels": int(pixels), **_by_name(_EVENTS, shares)}
    return table


def _by_name(names: Any, values: Any) -> dict[str, float | None]:
    return {name: _percent(value) for name, value in zip(names, values, strict=True)}


def _percent(fraction: float) -> float | None:
    return None if np.isnan(fraction) else round(100 * float(fraction), 4)
