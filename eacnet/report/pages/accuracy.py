"""The scores of the main network: overall, by class and category, and near edges.

Every score is in percent, a difference in percentage points.
"""

from typing import Any

import numpy as np

from eacnet.evaluation.counts import EFFECT_BAND
from eacnet.report.tables.table import Cell, Number, mark_best, markdown


def accuracy(evaluation: dict[str, Any]) -> str:
    """Return the overall scores, those of each class, and of each category where there are any.

    Args:
        evaluation: evaluation.json.
    """
    coarse = evaluation["coarse"]
    overall = {
        "mIoU": "miou",
        "pixel accuracy": "pixel_accuracy",
        "mean class accuracy": "mean_class_accuracy",
    }
    rows = [
        [name, *_compared(evaluation[key], coarse and coarse[key], coarse)]
        for name, key in overall.items()
    ]
    parts = [
        "## Accuracy\n",
        "In percent, over the scored pixels of all frames taken together.",
    ]
    if coarse:
        parts[-1] += (
            " *Coarse* is this same network before its calibration, not a network trained without"
            " one: for that see the ablation."
        )
    parts += ["", markdown(["score", *_headings(coarse)], rows)]

    pixels = np.sum(evaluation["confusion"], axis=1)
    rows = [
        [
            name,
            Number(share),
            *_compared(iou, coarse and coarse["class_iou"][name], coarse),
            Number(evaluation["class_boundary_f1"][name]),
        ]
        for (name, iou), share in zip(
            evaluation["class_iou"].items(), (100 * pixels / pixels.sum()).tolist(), strict=True
        )
    ]
    heads = ["class", "share of pixels", *_headings(coarse, "IoU"), "boundary F1"]
    parts.append(markdown(heads, rows))
    if evaluation["category_iou"]:
        rows = [[name, Number(iou)] for name, iou in evaluation["category_iou"].items()]
        rows.append(["mean", Number(evaluation["category_miou"])])
        parts += [
            "Classes of one category merged, so that taking one for another is no error:\n",
            markdown(["category", "IoU"], rows),
        ]
    return "\n".join(parts)


def edges(evaluation: dict[str, Any]) -> str:
    """Return the scores near edges, boundary F1, and the effect of the calibration there.

    Args:
        evaluation: evaluation.json.
    """
    coarse = evaluation["coarse"]
    total = int(np.sum(evaluation["confusion"]))
    rows = [
        [
            f"within {width} px",
            Number(100 * band["pixels"] / total),
            *_compared(band["miou"], coarse and coarse["bands"][width]["miou"], coarse),
        ]
        for width, band in evaluation["bands"].items()
    ]
    whole = _compared(evaluation["miou"], coarse and coarse["miou"], coarse)
    rows.append(["whole image", Number(100.0), *whole])
    parts = [
        "## Edges\n",
        "mIoU in percent in bands around the edges of the ground truth: a pixel is in a band if"
        " the nearest edge pixel is no further away.\n",
        markdown(["band", "share of pixels", *_headings(coarse, "mIoU")], rows),
        f"Boundary F1, the mean over frames (Csurka et al., BMVC 2013; tolerance 0.75 % of the"
        f" image diagonal): {Number(evaluation['boundary_f1'])} %.\n",
    ]
    if evaluation["effect"]:
        parts.append(_effect(evaluation["effect"]))
    return "\n".join(parts)


def _effect(effect: dict[str, Any]) -> str:
    """Return what the calibration changes inside and outside the band."""
    inside, outside = effect["in_band"], effect["outside"]
    names = {f"within {EFFECT_BAND} px": inside, "elsewhere": outside}
    rows = [
        [
            name,
            Number(region["pixels"], decimals=0),
            *(Number(region[event]) for event in ("changed", "corrected", "broken")),
            Number(_difference(region["corrected"], region["broken"]), signed=True),
        ]
        for name, region in names.items()
    ]
    changed = [region["pixels"] * (region["changed"] or 0) for region in (inside, outside)]
    pixels = inside["pixels"] + outside["pixels"]
    text = (
        "What the calibration does to the coarse prediction, in percent of the region's pixels;"
        " *net* is what it gains in pixel accuracy there."
    )
    if sum(changed):
        share, band = 100 * changed[0] / sum(changed), 100 * inside["pixels"] / pixels
        text += (
            f" Of all pixels that it changes, {Number(share)} % lie within {EFFECT_BAND} pixels of"
            f" an edge, where {Number(band)} % of all pixels lie."
        )
    heads = ["region", "pixels", "changed", "corrected", "broken", "net"]
    return f"{text}\n\n{markdown(heads, rows)}"


def _headings(coarse: dict[str, Any] | None, score: str = "") -> list[str]:
    """Return the headings of `_compared`'s cells."""
    if not coarse:
        return [score or "value"]
    return [f"{score} coarse".strip(), f"{score} calibrated".strip(), "difference"]


def _compared(
    value: float | None, before: float | None, coarse: dict[str, Any] | None
) -> list[Cell]:
    """Return a score as cells: before and after the calibration and the difference, or alone."""
    if not coarse:
        return [Number(value)]
    both = mark_best([Number(before), Number(value)])
    return [*both, Number(_difference(value, before), signed=True)]


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
