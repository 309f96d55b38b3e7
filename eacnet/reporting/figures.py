"""The figures of a report, the same bytes for the same results."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextToPath
from PIL import Image

from eacnet.errors import InputError
from eacnet.reporting.examples import Color, Example, key, tiles

# A user's own matplotlibrc must not show; SVG ids are random without a salt.
STYLE = [
    "default",
    {
        "svg.hashsalt": "eacnet",
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "0.9",
        "axes.axisbelow": True,
    },
]
# Okabe and Ito's palette again, dark enough for lines on white paper.
LOSS, RATE, SCORE = "#D55E00", "#009E73", "#0072B2"

# Of the figure of examples, in pixels: five columns are about twice what GitHub's page shows.
TILE = 352
GAP = 8
MARGIN = 12
TEXT = 22
LINE = 40
SWATCH = (36, 22)
DPI = 100


def read_history(path: Path) -> list[dict[str, float | None]]:
    """Read training.csv: epoch, loss, lr, and val_miou in percent, None where not validated.

    Raises:
        InputError: the file is missing or holds anything else.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                {
                    **{name: float(row[name]) for name in ("epoch", "loss", "lr")},
                    "val_miou": float(row["val_miou"]) if row["val_miou"] else None,
                }
                for row in csv.DictReader(file)
            ]
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it") from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no training curve ({error!r}); `dvc repro -f` remakes it"
        ) from None
    if not rows:
        raise InputError(f"{path} holds no epoch; `dvc repro -f` remakes it")
    return rows


def training_curve(history: Sequence[dict[str, float | None]], validated_on: str | None) -> Figure:
    """Draw loss, learning rate and, where there is one, validation mIoU over the epochs.

    Args:
        history: as `read_history` returns it.
        validated_on: name of the split behind `val_miou`.
    """
    panels = [("loss", "mean loss", LOSS), ("lr", "learning rate", RATE)]
    if any(row["val_miou"] is not None for row in history):
        panels.append(("val_miou", f"mIoU on {validated_on} (%)", SCORE))
    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(3.2 * len(panels), 2.6), dpi=200, layout="constrained")
        figure.get_layout_engine().set(wspace=0.08)
        for axes, (name, label, color) in zip(
            figure.subplots(1, len(panels), sharex=True), panels, strict=True
        ):
            points = [(row["epoch"], row[name]) for row in history if row[name] is not None]
            # A lone point or a few would be no visible line.
            marker = "o" if len(points) <= 25 else None
            axes.plot(*zip(*points, strict=True), color=color, marker=marker, markersize=3.5)
            axes.set_xlabel("epoch")
            axes.set_ylabel(label)
            axes.set_ylim(0, 1.08 * max(value for _, value in points) or 1)
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    return figure


def example_figure(shown: Sequence[Example], classes: Sequence[dict[str, Any]]) -> Figure:
    """Draw a row for each example: image, truth, prediction(s), errors; colours explained below.

    Args:
        shown: frames of one size, at least one.
        classes: the entries of dataset.json, with "name" and "color".
    """
    calibrated = shown[0].coarse is not None
    predictions = ["coarse", "calibrated"] if calibrated else ["prediction"]
    headings = ["image", "ground truth", *predictions, "errors"]
    legends = [[(entry["name"], tuple(entry["color"])) for entry in classes], key(calibrated)]
    colors = np.array([entry["color"] for entry in classes], np.uint8)
    rows, columns = shown[0].truth.shape
    height = round(TILE * rows / columns)
    left = [MARGIN + index * (TILE + GAP) for index in range(len(headings))]
    width = left[-1] + TILE + MARGIN
    grids = [_grid(legend, width - 2 * MARGIN) for legend in legends]
    total = LINE + len(shown) * (LINE + height + GAP) + MARGIN
    total += sum(
        GAP + LINE * -(-len(legend) // n) for legend, (n, _) in zip(legends, grids, strict=True)
    )

    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(width / DPI, total / DPI), dpi=DPI)
        for x, heading in zip(left, headings, strict=True):
            _text(figure, x + TILE / 2, LINE / 2, heading, ha="center", weight="bold")
        top = LINE
        for example in shown:
            _text(figure, MARGIN, top + LINE / 2, example.title)
            top += LINE
            for x, tile in zip(left, tiles(example, colors), strict=True):
                # The mean over the pixels that fall together: thin objects stay visible.
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


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that `path` ends in, without a date or a version in it."""
    names = ("Date", "Creator") if path.suffix == ".svg" else ("Software",)
    with matplotlib.style.context(STYLE):
        figure.savefig(path, metadata=dict.fromkeys(names))


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
