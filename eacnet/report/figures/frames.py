"""Frames or parts of them in rows: image, truth, predictions, errors, and what colours mean."""

from collections.abc import Sequence
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextToPath
from PIL import Image

from eacnet.evaluation.counts import EFFECT_BAND
from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.examples import Color, Example, key, tiles
from eacnet.report.figures.style import STYLE
from eacnet.report.results import Results

# In pixels: five columns are about twice what GitHub's page shows.
TILE = 352
GAP = 8
MARGIN = 12
TEXT = 22
LINE = 40
SWATCH = (36, 22)
DPI = 100


def _examples_text(results: Results) -> str:
    effect = ", and what calibration corrected or broke," if results.evaluation["coarse"] else ""
    return (
        "Chosen by rule, not by eye: all frames are ranked by image mIoU (over the classes in truth"
        " or prediction of that image), and evenly spaced ranks from the worst to the best are"
        f" shown. In the last column, right pixels are dimmed; errors{effect} are in colour."
    )


@drawing(
    "examples",
    "Examples",
    "Images, ground truth, predictions and errors",
    _examples_text,
    pixels=True,
)
def examples(results: Results, pictures: Pictures) -> Figure | None:
    """Draw frames from the worst to the best."""
    shown = pictures.examples
    return example_figure(shown, results.data["classes"]) if shown else None


@drawing(
    "zooms",
    "Edges, enlarged",
    "Windows in which calibration corrects or breaks the most pixels",
    "Chosen by rule: the frames in which calibration corrects the most pixels within"
    f" {EFFECT_BAND} pixels of an edge, then as many in which it breaks the most; of each, the"
    " window of a quarter of its height and width that holds the most of them, near edges or not.",
    pixels=True,
)
def zooms(results: Results, pictures: Pictures) -> Figure | None:
    """Draw the windows that calibration affects most."""
    return example_figure(pictures.zooms, results.data["classes"]) if pictures.zooms else None


def example_figure(shown: Sequence[Example], classes: Sequence[dict[str, Any]]) -> Figure:
    """Draw a row for each example: image, truth, prediction(s), errors; colours explained below.

    Args:
        shown: at least one frame.
        classes: the entries of dataset.json, with "name" and "color".
    """
    calibrated = shown[0].coarse is not None
    predictions = ["coarse", "calibrated"] if calibrated else ["prediction"]
    headings = ["image", "ground truth", *predictions, "errors"]
    legends = [[(entry["name"], tuple(entry["color"])) for entry in classes], key(calibrated)]
    colors = np.array([entry["color"] for entry in classes], np.uint8)
    shapes = [example.truth.shape for example in shown]
    heights = [max(1, round(TILE * rows / columns)) for rows, columns in shapes]
    left = [MARGIN + index * (TILE + GAP) for index in range(len(headings))]
    width = left[-1] + TILE + MARGIN
    grids = [_grid(legend, width - 2 * MARGIN) for legend in legends]
    total = LINE + sum(LINE + height + GAP for height in heights) + MARGIN
    total += sum(
        GAP + LINE * -(-len(legend) // n) for legend, (n, _) in zip(legends, grids, strict=True)
    )

    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(width / DPI, total / DPI), dpi=DPI)
        for x, heading in zip(left, headings, strict=True):
            _text(figure, x + TILE / 2, LINE / 2, heading, ha="center", weight="bold")
        top = LINE
        for example, height in zip(shown, heights, strict=True):
            _text(figure, MARGIN, top + LINE / 2, example.title)
            top += LINE
            for x, tile in zip(left, tiles(example, colors), strict=True):
                # The mean over the pixels that fall together: thin objects stay visible. Enlarged,
                # every pixel stays a square.
                small = Image.fromarray(tile).resize((TILE, height), Image.Resampling.BOX)
                # The two lowest bits are noise that nobody sees, and a third of the file. Unlike
                # an axes, figimage shows pixels as they are; it counts from the bottom.
                figure.figimage(np.asarray(small) & 0xFC, x, total - top - height)
            top += height + GAP
        for legend, (per_line, step) in zip(legends, grids, strict=True):
            top += GAP
            for index, (name, color) in enumerate(legend):
                x = MARGIN + index % per_line * step
                _swatch(figure, x, top + (index // per_line + 0.5) * LINE, name, color)
            top += -(-len(legend) // per_line) * LINE
    return figure


def _grid(legend: Sequence[tuple[str, Color]], width: float) -> tuple[int, float]:
    """Return how many entries stand in a line of `width` pixels, and the step between them."""
    measure = TextToPath().get_text_width_height_descent
    font = FontProperties(size=TEXT)
    widest = max(measure(name, font, False)[0] for name, _ in legend)
    step = SWATCH[0] + GAP + widest + 1.5 * TEXT
    most = max(1, int(width // step))
    lines = -(-len(legend) // most)
    # As many in each line, as far as that goes.
    return -(-len(legend) // lines), step


def _swatch(figure: Figure, x: float, y: float, name: str, color: Color) -> None:
    """Draw a patch of colour with its name behind it, around the middle line `y`."""
    corner = (x, figure.get_figheight() * DPI - y - SWATCH[1] / 2)
    face = [level / 255 for level in color]
    patch = Rectangle(corner, *SWATCH, facecolor=face, edgecolor="0.5", transform=None)
    figure.add_artist(patch)
    _text(figure, x + SWATCH[0] + GAP, y, name)


def _text(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Write text around the middle line `y`, in pixels from the top left corner."""
    width, height = figure.get_size_inches() * DPI
    size = TEXT * 72 / DPI
    figure.text(x / width, 1 - y / height, text, fontsize=size, va="center_baseline", **style)
