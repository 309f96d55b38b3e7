"""All figures of a report: which there are, and in which files they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from eacnet.evaluation.counts import Counts
from eacnet.report.figures.attention_maps import AttentionView, attention_figure
from eacnet.report.figures.by_class import (
    class_gain_figure,
    confusion_figure,
    gains_by_class,
    gains_over_coarse,
)
from eacnet.report.figures.captions import PIXELS
from eacnet.report.figures.examples import Example
from eacnet.report.figures.frames import example_figure
from eacnet.report.figures.speed import (
    accuracy_speed_figure,
    accuracy_speed_points,
    scaling_figure,
)
from eacnet.report.figures.style import save
from eacnet.report.figures.training import Histories, training_figure
from eacnet.report.pages.page import Results
from eacnet.report.tables.timing import timings


@dataclass(frozen=True)
class Pictures:
    """What the main network makes of chosen frames; no zooms or attention without calibration."""

    examples: list[Example]
    zooms: list[Example]
    attention: list[AttentionView]


def make_figures(
    results: Results, pictures: Pictures, histories: Histories, counts: Counts
) -> dict[str, Figure]:
    """Draw every figure that there is data for, by name, in the order in which a page shows them.

    Args:
        results: what the result files hold.
        pictures: what the main network makes of chosen frames.
        histories: (backbone, calibration) -> the training history of each seed.
        counts: of the main network, for each frame of the evaluation split.
    """
    data, classes = results.data, results.data["classes"]
    names = [entry["name"] for entry in classes]
    gains = gains_by_class(results.ablation) or gains_over_coarse(counts, names)
    points = accuracy_speed_points(
        results.ablation,
        timings(results.speed),
        results.published,
        data["dataset"],
        data["size"],
    )
    growth = scaling_figure(
        [
            {"device": machine["machine"]["device"], **row}
            for machine in results.speed
            for row in machine.get("scaling", [])
        ]
    )
    figures = {
        "training": training_figure(histories, results.validated_on),
        "class_gains": class_gain_figure(gains, names) if gains else None,
        "confusion": confusion_figure(results.evaluation["confusion"], names),
        "examples": example_figure(pictures.examples, classes),
        "zooms": example_figure(pictures.zooms, classes) if pictures.zooms else None,
        "attention": attention_figure(pictures.attention) if pictures.attention else None,
        "accuracy_speed": accuracy_speed_figure(points) if points else None,
        "scaling": growth,
    }
    return {name: figure for name, figure in figures.items() if figure is not None}


def write_figures(figures: Mapping[str, Figure], folder: Path) -> None:
    """Write figures as <folder>/<name>.png, and <name>.svg where they are not made of pixels."""
    folder.mkdir()
    for name, figure in figures.items():
        save(figure, folder / f"{name}.png")
        if name not in PIXELS:
            save(figure, folder / f"{name}.svg")
