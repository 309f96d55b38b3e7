"""Comparing the figures of a report with the same figures rebuilt.

What follows from the stored counts must agree in every digit that is stored, and so must a network
that is scored anew on the same device, with as many threads and the same PyTorch. Anywhere else
sums are rounded in another order, and a few pixels on the border between two classes fall
otherwise; TOLERANCE says how far that may move a score.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eacnet.config.names import DATASETS
from eacnet.datasets import find
from eacnet.errors import InputError
from eacnet.evaluation.ablation import headline, summarise
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details, metrics, recorded_suspects

# In percentage points, across devices and versions. A rare class has few pixels, so that each of
# them moves its score more. Float32 against float64, on 24 frames of CamVid with erf-pooled, moved
# 3 of 4 million pixels: 0.0001 points, 0.001 of a class. The room above that is for TF32, which
# GPUs use for convolutions and which keeps 10 bits of mantissa instead of 23.
TOLERANCE = 0.05
CLASS_TOLERANCE = 0.5
_OF_A_CLASS = ("class_iou", "class_boundary_f1", "category_iou")


@dataclass(frozen=True)
class Difference:
    """A figure that is not reproduced: its file and keys, what it is there, and what it is now.

    `words` say for people what the two are.
    """

    file: str
    keys: tuple[str, ...]
    stored: Any
    rebuilt: Any
    words: tuple[str, str] = ("in the report", "rebuilt")

    @property
    def size(self) -> float:
        """How far apart the two are; infinite if they are not two numbers."""
        if _is_number(self.stored) and _is_number(self.rebuilt):
            return abs(self.rebuilt - self.stored)
        return float("inf")

    def __str__(self) -> str:
        there, now = self.words
        text = f"{self.file} {'.'.join(self.keys)}: {self.stored} {there},"
        text += f" {self.rebuilt} {now}"
        if self.size < float("inf"):
            text += f" ({self.rebuilt - self.stored:+.6g})"
        return text


@dataclass
class Comparison:
    """How many figures were compared, the largest deviation among them, and which differ."""

    figures: int = 0
    largest: float = 0.0
    differences: list[Difference] = field(default_factory=list)

    def add(
        self,
        file: str,
        stored: Any,
        rebuilt: Any,
        exact: bool = True,
        words: tuple[str, str] = ("in the report", "rebuilt"),
    ) -> None:
        """Compare all figures of a result file; one that either side lacks is a difference.

        Args:
            file: its name, for the reader.
            stored: JSON types.
            rebuilt: JSON types.
            exact: every digit must agree; otherwise scores may deviate as TOLERANCE says.
            words: what the two are, for the reader.
        """
        before, now = dict(_flat(stored)), dict(_flat(rebuilt))
        for keys in before | now:
            self.figures += 1
            values = before.get(keys, "nothing"), now.get(keys, "nothing")
            one = Difference(file, keys, *values, words)
            if one.stored == one.rebuilt:
                continue
            if one.size < float("inf"):
                self.largest = max(self.largest, one.size)
            if exact or one.size > _tolerance(keys):
                self.differences.append(one)

    @property
    def within_tolerance(self) -> bool:
        """Whether every difference is one that another device might make."""
        return all(one.size <= _tolerance(one.keys) for one in self.differences)


def class_entries(dataset: str, evaluation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the classes of a report, as `details` takes them: name and category.

    Args:
        dataset: its dataset.
        evaluation: evaluation.json.

    Raises:
        InputError: it has scores by category, but nothing here tells the categories.
    """
    names = list(evaluation["class_iou"])
    if evaluation["category_iou"] is None:
        return [{"name": name, "category": ""} for name in names]
    classes = find(dataset).classes if dataset in DATASETS else []
    if [entry["name"] for entry in classes] != names:
        raise InputError(f"the categories of {dataset}'s classes are not known here")
    return classes


def compare_scores(
    files: dict[str, Any], counts: Counts, classes: Sequence[dict[str, Any]]
) -> Comparison:
    """Rebuild the scores of a run from its counts and compare, exactly.

    Args:
        files: evaluation.json, metrics.json and classes.csv (class -> IoU), by name.
        counts: its counts.json.
        classes: as `class_entries` returns them.
    """
    full = details(counts, classes, recorded_suspects(files["evaluation.json"]))
    result = Comparison()
    result.add("evaluation.json", _scores(files["evaluation.json"]), full)
    result.add("metrics.json", files["metrics.json"], metrics(counts, classes))
    result.add("classes.csv", files["classes.csv"], full["class_iou"])
    return result


def compare_summary(
    files: dict[str, Any],
    cells: dict[tuple[str, str, int], Counts],
    classes: Sequence[str],
    costs: dict[tuple[str, str], dict[str, Any]],
    how: dict[str, Any],
) -> Comparison:
    """Rebuild the ablation from the counts of its cells and compare, exactly.

    Args:
        files: ablation.json and metrics.json of the experiment, by name.
        cells: (backbone, calibration, seed) -> counts of each cell.
        classes: names.
        costs: (backbone, calibration) -> parameters and macs, as ablation.json holds them.
        how: split and bootstrap, as ablation.json holds them.
    """
    groups = [
        {**group, **costs[group["backbone"], group["calibration"]]}
        for group in summarise(cells, classes)
    ]
    stored = files["ablation.json"]
    frames = len(next(iter(cells.values())))
    result = Comparison()
    # By name: the order of the groups is no figure.
    result.add(
        "ablation.json",
        {"frames": stored["frames"], **_by_network(stored["groups"])}
        | {name: stored.get(name) for name in how},
        {"frames": frames, **_by_network(groups)} | how,
    )
    result.add("metrics.json", files["metrics.json"], {"ablation": headline(groups)})
    return result


def compare_rerun(
    evaluation: dict[str, Any],
    counts: Counts,
    classes: Sequence[dict[str, Any]],
    exact: bool,
) -> Comparison:
    """Compare a network that was scored anew with its evaluation.json.

    Args:
        evaluation: evaluation.json.
        counts: of the network, scored here.
        classes: as `class_entries` returns them.
        exact: every figure must agree; otherwise the pixels that are counted otherwise are taken
            together as a share of all, and scores may deviate as TOLERANCE says.
    """
    stored = _scores(evaluation)
    rebuilt = details(counts, classes, recorded_suspects(evaluation))
    result = Comparison()
    if not exact:
        before, after = (np.array(one.pop("confusion")) for one in (stored, rebuilt))
        moved = 100 * np.abs(after - before).sum() / 2 / before.sum()
        share = "pixels counted otherwise (%)"
        stored[share], rebuilt[share] = 0.0, round(float(moved), 4)
    result.add("evaluation.json", stored, rebuilt, exact)
    return result


def _scores(evaluation: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in evaluation.items() if name != "provenance"}


def _by_network(groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {f"{group['backbone']}-{group['calibration']}": group for group in groups}


def _flat(values: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value in nested dicts and lists, under the keys that lead to it."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _flat(value, (*keys, str(name)))
    elif isinstance(values, (list, tuple)):
        for index, value in enumerate(values):
            yield from _flat(value, (*keys, str(index)))
    else:
        yield keys, values


def _tolerance(keys: tuple[str, ...]) -> float:
    # How many pixels a band holds, and how many frames there are, depends on no network.
    if keys[-1] in ("pixels", "frames"):
        return 0.0
    return CLASS_TOLERANCE if any(key in _OF_A_CLASS for key in keys) else TOLERANCE


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
