"""The figures of a report: a function each, in one list that every page shows."""

from collections.abc import Sequence
from pathlib import Path

from eacnet.report.figures import (
    accuracy_speed,
    attention_maps,
    by_class,
    frames,
    scaling,
    training,
)
from eacnet.report.figures.drawing import Drawing, Pictures
from eacnet.report.figures.style import save
from eacnet.report.results import Results

FIGURES: Sequence[Drawing] = (
    accuracy_speed.accuracy_speed,
    by_class.class_gains,
    training.training,
    by_class.confusion,
    frames.examples,
    frames.zooms,
    attention_maps.attention,
    scaling.scaling,
)


def write_figures(results: Results, pictures: Pictures, folder: Path) -> list[Drawing]:
    """Write every figure that there is data for, and return which these are.

    They become <folder>/<name>.png, and <name>.svg where they are not made of pixels.
    """
    folder.mkdir()
    drawn = []
    for one in FIGURES:
        figure = one.draw(results, pictures)
        if figure is not None:
            drawn.append(one)
            for kind in ("png",) if one.pixels else ("png", "svg"):
                save(figure, folder / f"{one.name}.{kind}")
    return drawn
