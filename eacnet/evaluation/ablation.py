"""The ablation put together: runs that differ in their seed alone, and what calibration gains."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from eacnet.config.names import DECODED
from eacnet.errors import InputError
from eacnet.evaluation.bootstrap import draw_images
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.gains import gain, judge
from eacnet.evaluation.images_won import images_won
from eacnet.evaluation.scores import weighted_scores
from eacnet.progress import progress

Key = tuple[str, str, int]
# (name of a score,) or (name, class) -> percent, (R,): one value for each weighting of the images.
Table = dict[tuple[str, ...], np.ndarray]


def summarise(cells: dict[Key, Counts], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return one entry for each (backbone, calibration), in the order in which they first appear.

    Args:
        cells: (backbone, calibration, seed) -> counts of the same images.
        classes: names of the K classes.

    Returns:
        Entries with backbone, calibration, seeds; `scores` (score -> mean and standard deviation
        over seeds, in percent) and, for each score of classes, the same by class under its name
        (`class_iou`); `gains`: reference -> score, or score of classes -> class -> difference in
        percentage points, paired by seed, as `gains.gain` describes it and `gains.judge` judges it
        among all gains in that score. References are the calibrations of `compared_with` on the
        same backbone, and "decoder", the same backbone with its published decoder and without
        calibration; `gains` lacks a reference where no such run has all of these seeds. `bands`:
        the images won and lost against none in each edge band, None without. The deviation is the
        sample's (n - 1), None for a single seed. A score or class that is not defined in some cell
        (no edges, a class that nothing shows) is left out everywhere.

    Raises:
        InputError: the cells were scored on different numbers of images or classes.
    """
    if len({counts.confusion.shape for counts in cells.values()}) > 1:
        raise InputError("the cells were scored on different images or classes; run `dvc repro`")
    images = len(next(iter(cells.values())))
    drawn = draw_images(images)
    measured, resampled = {}, {}
    for key, counts in progress(cells.items(), desc="resample", unit="cell", total=len(cells)):
        measured[key] = _percent(weighted_scores(counts, np.ones((1, images))), classes)
        resampled[key] = _percent(weighted_scores(counts, drawn), classes)
    paths = [
        path
        for path in next(iter(measured.values()))
        if all(np.isfinite(table[path]).all() for table in measured.values())
    ]

    def difference(own: Sequence[Key], others: Sequence[Key]) -> dict[tuple[str, ...], Any]:
        pairs = list(zip(own, others, strict=True))
        return {
            path: gain(
                [float((measured[a][path] - measured[b][path])[0]) for a, b in pairs],
                np.stack([resampled[a][path] - resampled[b][path] for a, b in pairs]),
                images,
            )
            for path in paths
        }

    groups: dict[tuple[str, str], list[int]] = {}
    for backbone, calibration, seed in cells:
        groups.setdefault((backbone, calibration), []).append(seed)
    entries, judged = [], []
    for (backbone, calibration), seeds in groups.items():
        own = [(backbone, calibration, seed) for seed in seeds]
        spreads = {path: _spread([float(measured[key][path][0]) for key in own]) for path in paths}
        references = {name: (backbone, name) for name in compared_with(calibration)}
        references["decoder"] = (DECODED.get(backbone, ""), "none")
        others = {name: [(*key, seed) for seed in seeds] for name, key in references.items()}
        found = {
            name: difference(own, keys)
            for name, keys in others.items()
            if all(key in cells for key in keys)
        }
        judged += found.values()
        bands = None
        if "none" in found:
            bands = images_won(*([cells[key] for key in keys] for keys in (own, others["none"])))
        means = _nested(spreads)
        entries.append(
            {
                "backbone": backbone,
                "calibration": calibration,
                "seeds": seeds,
                "scores": _scalars(means, paths),
                **{name: means[name] for name, *of_class in paths if of_class},
                "gains": {name: _nested(table) for name, table in found.items()},
                "bands": bands,
            }
        )
    for score in {path[0] for path in paths}:
        judge([one for table in judged for path, one in table.items() if path[0] == score])
    return entries


def compared_with(calibration: str) -> tuple[str, ...]:
    """Return what a calibration is held against: none, its control, and full against pooled.

    The control, point, re-weights the classes and looks nowhere else.
    """
    special = {"none": (), "point": ("none",), "full": ("none", "point", "pooled")}
    return special.get(calibration, ("none", "point"))


def headline(entries: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return mean mIoU and gain by backbone and calibration, to compare across commits."""
    figures: dict[str, dict[str, float]] = {}
    for entry in entries:
        of_backbone = figures.setdefault(entry["backbone"], {})
        of_backbone[entry["calibration"]] = entry["scores"]["miou"]["mean"]
        if gains := entry["gains"].get("none"):
            of_backbone[f"gain_{entry['calibration']}"] = gains["miou"]["mean"]
    return figures


def _percent(scores: Mapping[str, np.ndarray], classes: Sequence[str]) -> Table:
    table: Table = {}
    for name, values in scores.items():
        if values.ndim == 1:
            table[name,] = 100 * values
        else:
            table |= {(name, one): 100 * values[:, k] for k, one in enumerate(classes)}
    return table


def _nested(table: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Return score -> value, or score -> class -> value."""
    nested: dict[str, Any] = {}
    for (name, *of_class), value in table.items():
        if of_class:
            nested.setdefault(name, {})[of_class[0]] = value
        else:
            nested[name] = value
    return nested


def _scalars(nested: dict[str, Any], paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    return {path[0]: nested[path[0]] for path in paths if len(path) == 1}


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {
        "mean": round(statistics.fmean(values), 4),
        "std": None if deviation is None else round(deviation, 4),
    }
