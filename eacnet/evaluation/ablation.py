"""The ablation put together: runs that differ in their seed alone, and what calibration gains."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from eacnet.config.names import DECODED
from eacnet.errors import InputError
from eacnet.evaluation.bootstrap import (
    draw_images,
    image_interval,
    is_significant,
    seed_interval,
    weighted_scores,
    wins,
)
from eacnet.evaluation.counts import Counts
from eacnet.progress import progress

SCORES = (
    "miou",
    "pixel_accuracy",
    "band_miou_3",
    "band_miou_5",
    "band_miou_9",
    "boundary_f1",
)
Key = tuple[str, str, int]
# Name of a score, or index of a class -> percent, (R,): one value for each weighting of the images.
Table = dict[str | int, np.ndarray]


def summarise(cells: dict[Key, Counts], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one entry for each (backbone, calibration), in the order in which they first appear.

    Args:
        cells: (backbone, calibration, seed) -> counts of the same images.
        classes: names of the K classes.

    Returns:
        Entries with backbone, calibration, seeds; scores and class_iou (mean and standard deviation
        over seeds, in percent); gain and class_gain, the difference to calibration "none" of the
        same backbone and seed in percentage points: mean and deviation over seeds, `images` and
        `seeds` (its intervals, see `significance`; seeds null for one seed) and `significant`; and
        bands, the images won and lost in each edge band. These three are None for "none" and
        where there is no such run to compare with. over_decoder is the same as gain against the
        same backbone with its published decoder and without calibration, or None. The deviation is
        the sample's (n - 1), None for a single seed. A score or class that is not defined in some
        cell (no edges, a class that nothing shows) is left out everywhere.

    Raises:
        InputError: the cells were scored on different numbers of images or classes.
    """
    if len({counts.confusion.shape for counts in cells.values()}) > 1:
        raise InputError("the cells were scored on different images or classes; run `dvc repro`")
    images = len(next(iter(cells.values())))
    drawn = draw_images(images)
    measured, resampled = {}, {}
    for key, counts in progress(cells.items(), desc="resample", unit="cell", total=len(cells)):
        measured[key] = _percent(weighted_scores(counts, np.ones((1, images))))
        resampled[key] = _percent(weighted_scores(counts, drawn))
    names = [
        name
        for name in (*SCORES, *range(len(classes)))
        if all(np.isfinite(table[name]).all() for table in measured.values())
    ]
    groups: dict[tuple[str, str], list[int]] = {}
    for backbone, calibration, seed in cells:
        groups.setdefault((backbone, calibration), []).append(seed)
    entries = []
    for (backbone, calibration), seeds in groups.items():
        own = [(backbone, calibration, seed) for seed in seeds]
        plain = [(backbone, "none", seed) for seed in seeds]
        compared = calibration != "none" and all(key in cells for key in plain)
        spreads = {name: _spread([float(measured[key][name][0]) for key in own]) for name in names}
        gains, bands = {}, None
        if compared:
            gains = {name: _gain(name, own, plain, measured, resampled) for name in names}
            bands = wins([cells[key] for key in own], [cells[key] for key in plain])
        decoded = [(DECODED.get(backbone, ""), "none", seed) for seed in seeds]
        over_decoder = None
        if all(key in cells for key in decoded):
            over_decoder = {name: _gain(name, own, decoded, measured, resampled) for name in names}
        entries.append(
            {
                "backbone": backbone,
                "calibration": calibration,
                "seeds": seeds,
                "scores": _of_scores(spreads),
                "class_iou": _of_classes(spreads, classes),
                "gain": _of_scores(gains) if compared else None,
                "class_gain": _of_classes(gains, classes) if compared else None,
                "bands": bands,
                "over_decoder": over_decoder and _of_scores(over_decoder),
            }
        )
    return entries


def headline(entries: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return mean mIoU and gain by backbone and calibration, to compare across commits."""
    figures: dict[str, dict[str, float]] = {}
    for entry in entries:
        of_backbone = figures.setdefault(entry["backbone"], {})
        of_backbone[entry["calibration"]] = entry["scores"]["miou"]["mean"]
        if entry["gain"]:
            of_backbone[f"gain_{entry['calibration']}"] = entry["gain"]["miou"]["mean"]
    return figures


def _gain(
    name: str | int,
    own: Sequence[Key],
    plain: Sequence[Key],
    measured: dict[Key, Table],
    resampled: dict[Key, Table],
) -> dict[str, Any]:
    """Return the difference of one score between two groups of cells, paired by seed and image."""
    pairs = list(zip(own, plain, strict=True))
    by_seed = [float((measured[a][name] - measured[b][name])[0]) for a, b in pairs]
    # Every resample takes the same images for all networks and seeds.
    by_resample = sum(resampled[a][name] - resampled[b][name] for a, b in pairs) / len(pairs)
    low, high = image_interval(by_resample).tolist()
    seeds = seed_interval(by_seed)
    return {
        **_spread(by_seed),
        "images": [round(low, 4), round(high, 4)],
        "seeds": seeds and [round(end, 4) for end in seeds],
        "significant": is_significant((low, high), seeds),
    }


def _percent(scores: dict[str, np.ndarray]) -> Table:
    table = {**{name: scores[name] for name in SCORES}, **dict(enumerate(scores["class_iou"].T))}
    return {name: 100 * values for name, values in table.items()}


def _of_scores(table: dict[str | int, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if isinstance(name, str)}


def _of_classes(table: dict[str | int, Any], classes: Sequence[str]) -> dict[str, Any]:
    return {classes[index]: value for index, value in table.items() if isinstance(index, int)}


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {
        "mean": round(statistics.fmean(values), 4),
        "std": None if deviation is None else round(deviation, 4),
    }
