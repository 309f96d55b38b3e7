"""The main network's scores and where they come from: by class, category, and edge distance.

Every score is in percent, a difference in percentage points.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from eacnet.evaluation.counts import EFFECT_BAND
from eacnet.report.results import Results
from eacnet.report.tables.columns import (
    MARKS,
    SCORES,
    Columns,
    named,
    network_name,
    over_seeds,
    spread,
)
from eacnet.report.tables.rank import across
from eacnet.report.tables.table import as_frame, number, table

# Networks of the ablation are named with a comma.
RANKED = across("coarse|calibrated", "[^:]+, .*")


@table(
    "accuracy",
    "Accuracy of the main network",
    lambda results: (
        "In percent, over the scored pixels of all frames taken together; boundary F1 is the mean"
        " over frames (Csurka et al., BMVC 2013; tolerance 0.75 % of the image diagonal)."
        f"{_both(results)}{_without(results)}"
    ),
    marks=RANKED,
)
def accuracy(results: Results) -> pd.DataFrame:
    """One row a score of the whole images."""
    names = [name for name in SCORES if isinstance(results.evaluation.get(name), int | float)]
    return as_frame(
        {"score": [SCORES[name] for name in names]}
        | _before_after(results, lambda scores: [scores.get(name) for name in names])
    )


@table(
    "classes",
    "IoU by class",
    lambda results: (
        f"IoU in percent over all scored frames.{_both(results)} The last row of boundary F1 is the"
        f" mean over frames, not over classes.{_ablation_said(results, 'class_iou')} {MARKS}"
    ),
    marks=RANKED,
)
def classes(results: Results) -> pd.DataFrame:
    """One row a class: the main network, then every network of the ablation."""
    evaluation = results.evaluation
    names = list(evaluation["class_iou"])
    pixels = np.sum(evaluation["confusion"], axis=1)
    f1 = evaluation["class_boundary_f1"]
    columns: Columns = {
        "class": [*names, "mean"],
        "share of pixels": [*(100 * pixels / pixels.sum()), None],
        **_before_after(
            results, lambda scores: [*(scores["class_iou"][name] for name in names), scores["miou"]]
        ),
        "boundary F1": [*(f1[name] for name in names), evaluation["boundary_f1"]],
    }
    for score, heading in SCORES.items():
        of_class = score == "class_iou"
        if isinstance(own := evaluation.get(score), dict) and not of_class:
            columns[heading] = [*map(own.get, names), None]
        for group in results.groups:
            if found := group.get(score):
                network = network_name(*named(group)) + ("" if of_class else f": {heading}")
                mean = group["scores"]["miou"] if of_class else None
                columns |= spread(network, [*map(found.get, names), mean])
    return as_frame(columns)


@table(
    "categories",
    "IoU by category",
    "Classes of one category merged, so that taking one for another is no error; in percent.",
)
def categories(results: Results) -> pd.DataFrame:
    """One row a category of classes, where the dataset has any."""
    found = results.evaluation.get("category_iou") or {}
    mean = {"mean": results.evaluation["category_miou"]} if found else {}
    rows = found | mean
    return pd.DataFrame({"category": list(rows), "IoU": list(rows.values())})


@table(
    "bands",
    "mIoU near edges",
    lambda results: (
        "mIoU in percent among the pixels whose nearest edge pixel of the ground truth is no"
        f" further away than the band's width.{_both(results)}"
        f"{_ablation_said(results, 'scores')} {MARKS}"
    ),
    marks=RANKED,
)
def bands(results: Results) -> pd.DataFrame:
    """One row a band of distances from an edge, and the whole image."""
    evaluation = results.evaluation
    widths = list(evaluation["bands"])
    total = int(np.sum(evaluation["confusion"]))
    shares = [100 * evaluation["bands"][width]["pixels"] / total for width in widths]
    columns: Columns = {
        "band": [*(f"within {width} px" for width in widths), "whole image"],
        "share of pixels": [*shares, 100.0],
        **_before_after(
            results,
            lambda scores: [*(scores["bands"][width]["miou"] for width in widths), scores["miou"]],
        ),
    }
    keys = [*(f"band_miou_{width}" for width in widths), "miou"]
    for group in results.groups:
        columns |= spread(network_name(*named(group)), list(map(group["scores"].get, keys)))
    return as_frame(columns)


def _effect_note(results: Results) -> str:
    inside, outside = (results.evaluation["effect"][name] for name in ("in_band", "outside"))
    changed = [region["pixels"] * (region["changed"] or 0) for region in (inside, outside)]
    text = (
        "In percent of the region's pixels, by distance from an edge of the ground truth; net is"
        " what calibration gains in pixel accuracy there."
    )
    if sum(changed):
        share = 100 * changed[0] / sum(changed)
        band = 100 * inside["pixels"] / (inside["pixels"] + outside["pixels"])
        text += (
            f" Of all pixels that it changes, {number(share)} % lie within {EFFECT_BAND} pixels of"
            f" an edge, where {number(band)} % of all pixels lie."
        )
    return text


@table("effect", "What the calibration does to the coarse prediction", _effect_note)
def effect(results: Results) -> pd.DataFrame:
    """One row a region: near edges and elsewhere."""
    found = results.evaluation.get("effect") or {}
    names = {"in_band": f"within {EFFECT_BAND} px", "outside": "elsewhere"}
    rows = [
        {
            "region": names[region],
            "pixels": shares["pixels"],
            **{event: shares[event] for event in ("changed", "corrected", "broken")},
            "net": _difference(shares["corrected"], shares["broken"]),
        }
        for region, shares in found.items()
    ]
    return pd.DataFrame(rows)


@table(
    "confusion",
    "Confusion",
    "Share: percent of the pixels of the true class; `dvc plots` takes it.",
    listed=False,
)
def confusion(results: Results) -> pd.DataFrame:
    """One row a pair of true and predicted class."""
    names = list(results.evaluation["class_iou"])
    matrix = np.array(results.evaluation["confusion"])
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(100 * matrix, totals, out=np.full(matrix.shape, np.nan), where=totals > 0)
    return pd.DataFrame(
        {
            "truth": np.repeat(names, len(names)),
            "prediction": names * len(names),
            "share": shares.ravel(),
            "pixels": matrix.ravel(),
        }
    )


def _before_after(
    results: Results, pick: Callable[[dict[str, Any]], list[float | None]]
) -> dict[str, list[float | None]]:
    """Return columns of the main network: before and after its calibration, or alone."""
    after, coarse = pick(results.evaluation), results.evaluation["coarse"]
    if not coarse:
        return {"main network": after}
    before = pick(coarse)
    difference = list(map(_difference, after, before))
    return {"coarse": before, "calibrated": after, "difference": difference}


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _without(results: Results) -> str:
    """Give the score without the frames whose labels are doubted."""
    without = results.evaluation.get("without")
    if not without:
        return ""
    frames = ", ".join(without["frames"])
    return f" The labels of {frames} are doubted; without, mIoU is {number(without['miou'])} %."


def _both(results: Results) -> str:
    if not results.evaluation["coarse"]:
        return ""
    return (
        " Coarse and calibrated: the main network before and after its own calibration; for a"
        " network trained without one see the ablation."
    )


def _ablation_said(results: Results, needed: str) -> str:
    if not any(group.get(needed) for group in results.groups):
        return ""
    return f" The other columns: the networks of the ablation, {over_seeds(results)}."
