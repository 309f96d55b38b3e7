"""What the trainings of the ablation take, from measured steps."""

from typing import Any

import pandas as pd

from eacnet.report.results import Results
from eacnet.report.tables.columns import scaled
from eacnet.report.tables.speed import Timing, timed_name
from eacnet.report.tables.table import as_frame, table
from eacnet.report.tables.text import TIMES

# What of a recipe a step depends on, and what a recipe has that does not name it.
STEP = dict.fromkeys(("batch", "crop", "precision", "compile", "loss", "optimiser"))
STEP |= {"average": 0.0, "auxiliary": False, "trains": "all"}


@table(
    "training",
    "What a training takes",
    "Minutes: all steps of all epochs, each as long as the median of measured ones, of this recipe"
    " on that device, which did nothing else; validation, the reading of frames and, where the"
    " recipe compiles, the first step come on top. One network is timed behind another, so a"
    " drifting machine does not hit all alike. In brackets behind the median its 5th and 95th"
    " percentile. Memory is the peak of a process above what its libraries take; on a GPU, what"
    " PyTorch allocates there. The networks of this page may have been trained elsewhere: the"
    " table of sources says where.",
)
def training(results: Results) -> pd.DataFrame:
    """One row a network and device whose steps were timed by the recipe of this experiment."""
    steps, here = _steps(results), _of_a_step(results.training["recipe"])
    timed = [row for row in results.steps if _of_a_step(row["recipe"]) == here]
    figures = {
        name: [row.get(key) for row in timed]
        for name, key in (
            ("step (ms)", "median_ms"),
            ("step (ms) low", "p5_ms"),
            ("step (ms) high", "p95_ms"),
        )
    }
    columns: dict[str, list[Any]] = {
        "device": [row["device"] for row in timed],
        "network": [timed_name(row) for row in timed],
        "precision": [row["precision"] for row in timed],
        "batch": [row["batch"] for row in timed],
        "crop": [f"{row['height']} {TIMES} {row['width']}" for row in timed],
        **figures,
        "minutes": [_minutes(row, steps) for row in timed],
        "crops a second": [row.get("fps") for row in timed],
        "peak memory (MB)": [scaled(row.get("peak_memory_mb"), 1) for row in timed],
        "remark": [row.get("reason") for row in timed],
    }
    return as_frame(columns)


def _of_a_step(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return what of a recipe a step depends on; its length and its crops' scales are no part."""
    return {name: recipe.get(name, default) for name, default in STEP.items()}


def _steps(results: Results) -> int | None:
    """Return how many steps a training has; None where it is not known of how many frames."""
    splits, recipe = results.data.get("splits", {}), results.training["recipe"]
    used = results.training["trained_on"]
    if not used or not splits.keys() >= set(used):
        return None
    frames = sum(splits[name]["frames"] for name in used)
    return recipe["epochs"] * (frames // recipe["batch"])


def _minutes(row: Timing, steps: int | None) -> float | None:
    median = row.get("median_ms")
    return None if median is None or steps is None else steps * median / 60_000
