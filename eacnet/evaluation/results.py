"""The result files of one evaluation: headline metrics and all details, in percent."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from eacnet.evaluation import scores
from eacnet.evaluation.counts import BANDS, EFFECT_BAND, Counts

_REGIONS = ("in_band", "outside")
_EVENTS = ("changed", "corrected", "broken")


def metrics(counts: Counts, classes: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the headline figures, flat.

    Args:
        counts: of a whole split.
        classes: the entries of dataset.json, with "name" and "category".

    Returns:
        Percent, rounded to 4 decimals. A figure that is not defined is absent: `category_miou`
        where classes have no categories, everything about the calibration where there is none.
        `corrected_in_band` is the share of the band's valid pixels that the calibration corrects.
    """
    full = details(counts, classes)
    figures = {
        "miou": full["miou"],
        "pixel_accuracy": full["pixel_accuracy"],
        "mean_class_accuracy": full["mean_class_accuracy"],
        "category_miou": full["category_miou"],
        **{f"band_miou_{width}": full["bands"][str(width)]["miou"] for width in BANDS},
        "boundary_f1": full["boundary_f1"],
    }
    if full["coarse"]:
        figures["coarse_miou"] = full["coarse"]["miou"]
        band = full["coarse"]["bands"][str(EFFECT_BAND)]
        figures[f"coarse_band_miou_{EFFECT_BAND}"] = band["miou"]
        for region in _REGIONS:
            for event in _EVENTS:
                figures[f"{event}_{region}"] = full["effect"][region][event]
    return {name: figure for name, figure in figures.items() if figure is not None}


def details(counts: Counts, classes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return every score and the confusion matrix; what is not defined is None.

    Args:
        counts: of a whole split.
        classes: the entries of dataset.json, with "name" and "category".
    """
    names = [entry["name"] for entry in classes]
    categories = [entry["category"] for entry in classes]
    confusion = counts.confusion.sum(0)
    boundary = scores.class_boundary_f1(counts.boundary)
    result = _summary(confusion, counts.bands.sum(0), names)
    result["category_miou"] = result["category_iou"] = None
    if all(categories):
        by_category = scores.category_iou(confusion, categories)
        result["category_iou"] = _by_name(by_category, by_category.values())
        result["category_miou"] = _percent(
            scores.mean_of_present(np.array(list(by_category.values())))
        )
    result["boundary_f1"] = _percent(scores.mean_of_present(scores.boundary_f1(counts.boundary)))
    result["class_boundary_f1"] = _by_name(names, scores.mean_of_present(boundary, axis=0))
    result["coarse"] = result["effect"] = None
    if counts.effect is not None:
        result["coarse"] = _summary(
            counts.coarse_confusion.sum(0), counts.coarse_bands.sum(0), names
        )
        result["effect"] = _effect(counts.effect.sum(0))
    result["confusion"] = confusion.tolist()
    result["frames"] = len(counts)
    return result


def _summary(confusion: np.ndarray, bands: np.ndarray, names: list[str]) -> dict[str, Any]:
    iou = scores.class_iou(confusion)
    return {
        "miou": _percent(scores.mean_iou(confusion)),
        "pixel_accuracy": _percent(scores.pixel_accuracy(confusion)),
        "mean_class_accuracy": _percent(scores.mean_of_present(scores.class_accuracy(confusion))),
        "class_iou": _by_name(names, iou),
        "bands": {
            str(width): {
                "miou": _percent(scores.mean_iou(band)),
                "pixel_accuracy": _percent(scores.pixel_accuracy(band)),
                "class_iou": _by_name(names, scores.class_iou(band)),
                "pixels": int(band.sum()),
            }
            for width, band in zip(BANDS, bands, strict=True)
        },
    }


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
