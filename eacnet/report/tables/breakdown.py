"""Where the score comes from: by class, by pair of classes, and by distance from an edge."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from eacnet.report.tables.cells import (
    MARKS,
    Group,
    Spread,
    calibration_name,
    gained,
    interval_said,
    over_seeds,
    spread,
)
from eacnet.report.tables.table import Cell, Number, Table, mark_best


def class_table(evaluation: dict[str, Any], summary: dict[str, Any]) -> Table:
    """Return the IoU of each class: the main network, then every network of the ablation.

    Args:
        evaluation: evaluation.json.
        summary: ablation.json.
    """
    names = list(evaluation["class_iou"])
    pixels = np.sum(evaluation["confusion"], axis=1)
    shares = (100 * pixels / pixels.sum()).tolist()
    columns: dict[str, Sequence[Cell]] = {
        "class": [*names, "mean"],
        "share of pixels": [*map(Number, shares), Number(None)],
    }
    columns |= _before_after(evaluation, lambda scores: [
        *(scores["class_iou"][name] for name in names), scores["miou"]
    ])  # fmt: skip
    columns["boundary F1"] = [
        *(Number(evaluation["class_boundary_f1"][name]) for name in names),
        Number(evaluation["boundary_f1"]),
    ]
    columns |= _by_group(
        summary,
        lambda group: [
            *((group.get("class_iou") or {}).get(name) for name in names),
            group["scores"]["miou"] if group.get("class_iou") else None,
        ],
        lambda group: [
            *((group.get("class_gain") or {}).get(name) for name in names),
            (group["gain"] or {}).get("miou") if group.get("class_gain") else None,
        ],
    )
    note = (
        "IoU in percent over all scored frames. Coarse and calibrated: the main network before and"
        " after its calibration. The last row of boundary F1 is the mean over frames, not over"
        f" classes.{_ablation_said(summary, 'class_iou')} {MARKS}"
    )
    rows = list(zip(*columns.values(), strict=True))
    return Table("classes", "IoU by class", note, list(columns), rows).without_empty()


def confusion_pairs(evaluation: dict[str, Any]) -> Table:
    """Return a row for each pair of true and predicted class, as `dvc plots` takes it.

    Args:
        evaluation: evaluation.json.
    """
    names, matrix = list(evaluation["class_iou"]), np.array(evaluation["confusion"])
    totals = matrix.sum(axis=1)
    rows = [
        [
            true,
            predicted,
            Number(100 * int(matrix[i, j]) / int(totals[i]) if totals[i] else None),
            Number(int(matrix[i, j]), decimals=0),
        ]
        for i, true in enumerate(names)
        for j, predicted in enumerate(names)
    ]
    note = "Share: percent of the pixels of the true class."
    return Table("confusion", "Confusion", note, ["truth", "prediction", "share", "pixels"], rows)


def band_table(evaluation: dict[str, Any], summary: dict[str, Any]) -> Table:
    """Return mIoU in bands around the edges of the ground truth, and on the whole image.

    Args:
        evaluation: evaluation.json.
        summary: ablation.json.
    """
    widths = list(evaluation["bands"])
    total = int(np.sum(evaluation["confusion"]))
    shares = [100 * evaluation["bands"][width]["pixels"] / total for width in widths]
    columns: dict[str, Sequence[Cell]] = {
        "band": [*(f"within {width} px" for width in widths), "whole image"],
        "share of pixels": [*map(Number, shares), Number(100.0)],
    }
    columns |= _before_after(evaluation, lambda scores: [
        *(scores["bands"][width]["miou"] for width in widths), scores["miou"]
    ])  # fmt: skip
    keys = [*(f"band_miou_{width}" for width in widths), "miou"]
    columns |= _by_group(
        summary,
        lambda group: [group["scores"].get(key) for key in keys],
        lambda group: [(group["gain"] or {}).get(key) for key in keys],
    )
    note = (
        "mIoU in percent among the pixels whose nearest edge pixel of the ground truth is no"
        " further away than the band's width. Coarse and calibrated: the main network before and"
        f" after its calibration.{_ablation_said(summary, 'scores')} {MARKS}"
    )
    rows = list(zip(*columns.values(), strict=True))
    return Table("bands", "mIoU near edges", note, list(columns), rows).without_empty()


def _before_after(
    evaluation: dict[str, Any], pick: Callable[[dict[str, Any]], list[float | None]]
) -> dict[str, list[Number]]:
    """Return columns of the main network: before and after its calibration, or alone."""
    after = list(map(Number, pick(evaluation)))
    if not evaluation["coarse"]:
        return {"main network": after}
    before = list(map(Number, pick(evaluation["coarse"])))
    marked = [mark_best(pair) for pair in zip(before, after, strict=True)]
    return {
        "coarse": [pair[0] for pair in marked],
        "calibrated": [pair[1] for pair in marked],
        "difference": [
            Number(None if None in (a.value, b.value) else b.value - a.value, signed=True)
            for a, b in zip(before, after, strict=True)
        ],
    }


def _by_group(
    summary: dict[str, Any],
    scores: Callable[[Group], list[Spread]],
    gains: Callable[[Group], list[Spread]],
) -> dict[str, list[Number]]:
    """Return columns of the ablation: scores of each network, ranked in each row, and its gain."""
    groups = summary["groups"]
    cells = [list(map(spread, scores(group))) for group in groups]
    ranked = list(zip(*map(mark_best, zip(*cells, strict=True)), strict=True))
    columns: dict[str, list[Number]] = {}
    for group, column in zip(groups, ranked, strict=True):
        name = f"{group['backbone']}, {calibration_name(group)}"
        columns[name] = list(column)
        if group["gain"]:
            columns[f"gain of {name}"] = list(map(gained, gains(group)))
    return columns


def _ablation_said(summary: dict[str, Any], needed: str) -> str:
    groups = summary["groups"]
    if not any(group.get(needed) for group in groups):
        return ""
    return (
        f" The other columns: the networks of the ablation, {over_seeds(groups)}; gain is the"
        f" difference to no calibration{interval_said(summary)}."
    )
