"""All figures of a report: which there are, and in which files they stand."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from eacnet.reporting.captions import PIXELS
from eacnet.reporting.examples import Pictures
from eacnet.reporting.figure_examples import example_figure
from eacnet.reporting.figure_training import Histories, training_figure
from eacnet.reporting.page import Results
from eacnet.reporting.style import save


def make_figures(results: Results, pictures: Pictures, histories: Histories) -> dict[str, Figure]:
    """Draw every figure that there is data for, by name, in the order in which a page shows them.

    Args:
        results: what the result files hold.
        pictures: what the main network makes of chosen frames.
        histories: (backbone, calibration) -> the training history of each seed.
    """
    classes = results.data["classes"]
    return {
        "training": training_figure(histories, results.validated_on),
        "examples": example_figure(pictures.examples, classes),
    }


def write_figures(figures: Mapping[str, Figure], folder: Path) -> None:
    """Write figures as <folder>/<name>.png, and <name>.svg where they are not made of pixels."""
    folder.mkdir()
    for name, figure in figures.items():
        save(figure, folder / f"{name}.png")
        if name not in PIXELS:
            save(figure, folder / f"{name}.svg")
