"""Scores by class: what is taken for what, and what calibration gains."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from eacnet.evaluation.bootstrap import draw_images, image_interval
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.scores import class_iou, weighted_scores
from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.style import BLUE, ORANGE, STYLE, new_figure
from eacnet.report.results import Results
from eacnet.report.tables.columns import compared

# In a matrix of more classes, numbers would be too small to read.
MOST_NUMBERS = 30
Gains = Mapping[str, tuple[float, float, float]]
MOST_PANELS_IN_A_ROW = 3


@drawing(
    "confusion",
    "Confusion",
    "Confusion matrix in percent of the true class",
    "Of the pixels of a true class (row), the percentage that the network gives to each class"
    " (column). Shares under 0.5 % are not written; a grey row is a class that the evaluated frames"
    " do not show.",
)
def confusion(results: Results, pictures: Pictures) -> Figure:
    """Draw what the main network takes for what."""
    return confusion_figure(results.evaluation["confusion"], list(results.evaluation["class_iou"]))


@drawing(
    "class_gains",
    "Gain by class",
    "Difference in IoU with and without calibration, by class",
    "What calibration gains in IoU for each class, in percentage points: against the same backbone"
    " trained with what is named, or, where the ablation has no such pair, against this network's"
    " own coarse scores. Lines are 95 % intervals from a paired bootstrap over the images, or over"
    " seeds and images where that was made; where one holds 0, the bar is hatched. With one seed"
    " they do not tell how much is chance of the training.",
)
def class_gains(results: Results, pictures: Pictures) -> Figure | None:
    """Draw what calibration gains for each class."""
    names = list(results.evaluation["class_iou"])
    gains = gains_by_class(results.groups) or gains_over_coarse(results.counts, names)
    return class_gain_figure(gains, names) if gains else None


def confusion_figure(confusion: Sequence[Sequence[int]], names: Sequence[str]) -> Figure:
    """Draw a confusion matrix, each row in percent of the pixels of that true class.

    Args:
        confusion: pixels, (K,K), rows are the ground truth.
        names: of the K classes.
    """
    pixels = np.array(confusion, float)
    truth = pixels.sum(1, keepdims=True)
    shares = 100 * np.divide(pixels, truth, out=np.full_like(pixels, np.nan), where=truth > 0)
    size = min(11, max(4.2, 3 + 0.38 * len(names)))
    with matplotlib.style.context(STYLE):
        figure = new_figure(size + 0.9, size)
        axes = figure.subplots()
        # Dark is much: also in grey.
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        axes.set_facecolor("0.85")  # a class that the truth lacks
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        ticks = range(len(names))
        font = {"fontsize": min(9, 290 / len(names))}
        axes.set_xticks(ticks, names, rotation=90, **font)
        axes.set_yticks(ticks, names, **font)
        axes.tick_params(length=0)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        if len(names) <= MOST_NUMBERS:
            for (row, column), share in np.ndenumerate(shares):
                if share >= 0.5:
                    color = "white" if share > 55 else "black"
                    style = {"ha": "center", "va": "center", "fontsize": 7.5, "color": color}
                    axes.text(column, row, f"{share:.0f}", **style)
        bar = figure.colorbar(image, shrink=0.6, aspect=30, pad=0.02)
        bar.set_label("% of the true class")
        bar.outline.set_visible(False)
    return figure


def gains_by_class(groups: Sequence[Mapping[str, Any]]) -> dict[str, Gains]:
    """Return what each calibration gains for each class over every reference.

    Args:
        groups: of ablation.json.

    Returns:
        Heading -> class -> gain in IoU and the ends of its 95 % interval, in points.
    """
    return {
        f"{group['backbone']}, {group['calibration']} against {reference}": {
            name: (one["mean"], *(one.get("joint") or one["images"]))
            for name, one in gains.items()
            if one
        }
        for group in groups
        for reference, gains in compared(dict(group), of_classes=True).items()
    }


def gains_over_coarse(counts: Counts, names: Sequence[str]) -> dict[str, Gains]:
    """Return what the calibration gains for each class over the coarse scores of its own network.

    Returns:
        As `gains_by_class` does; empty for a network without calibration.
    """
    coarse = counts.before_calibration
    if coarse is None:
        return {}
    weights = draw_images(len(counts))
    before, after = (weighted_scores(one, weights)["class_iou"] for one in (coarse, counts))
    gain = class_iou(counts.confusion.sum(0)) - class_iou(coarse.confusion.sum(0))
    known = np.flatnonzero(~np.isnan(gain))
    ends = image_interval((after - before)[:, known])  # (2, known)
    gains = {
        names[index]: tuple(100 * float(value) for value in (gain[index], *ends[:, place]))
        for place, index in enumerate(known)
    }
    return {"calibrated against coarse scores of the same network": gains} if gains else {}


def class_gain_figure(panels: Mapping[str, Gains], names: Sequence[str]) -> Figure:
    """Draw gains as horizontal bars with their intervals, one panel for each comparison.

    Args:
        panels: as `gains_by_class` returns them; at least one.
        names: of all classes, from top to bottom; those without a gain have no bar.
    """
    columns = min(MOST_PANELS_IN_A_ROW, len(panels))
    lines = -(-len(panels) // columns)
    with matplotlib.style.context(STYLE):
        figure = new_figure(max(6.5, 2 + 3.2 * columns), 0.7 + lines * (0.7 + 0.27 * len(names)))
        grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat
        for axes, (heading, gains) in zip(grid, panels.items(), strict=False):
            for place, name in enumerate(names):
                if name in gains:
                    _bar(axes, place, *gains[name])
            axes.axvline(0, color="black", linewidth=0.8)
            axes.set_title(heading, loc="left")
            axes.set_yticks(range(len(names)), names)
            axes.grid(visible=False, axis="y")
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
            axes.set_xlabel("gain in IoU (percentage points)")
        for axes in grid[len(panels) :]:
            axes.remove()
        grid[0].set_ylim(len(names) - 0.4, -0.6)
        legend = [
            Patch(facecolor=BLUE, label="gain"),
            Patch(facecolor=ORANGE, label="loss"),
            Patch(facecolor="white", edgecolor="0.4", hatch="////", label="interval holds 0"),
            Line2D([], [], color="black", marker="|", label="95 % interval"),
        ]
        columns = len(legend) if len(panels) > 1 else 2
        figure.legend(handles=legend, loc="outside lower center", ncols=columns)
    return figure


def _bar(axes: Any, place: int, mean: float, low: float, high: float) -> None:
    """Draw one gain: filled where its interval excludes 0, hatched where it does not."""
    color = BLUE if mean >= 0 else ORANGE
    sure = low > 0 or high < 0
    look = {"color": color} if sure else {"facecolor": "white", "edgecolor": color, "hatch": "////"}
    axes.barh(place, mean, height=0.62, linewidth=0.8, **look)
    # Drawn as a line: an interval of percentiles need not hold the mean.
    axes.plot([low, high], [place, place], color="black", linewidth=1.2, marker="|", markersize=5)
