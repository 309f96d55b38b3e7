"""How every figure looks, and how it is written: the same bytes for the same results."""

from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

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
        "axes.titlesize": "medium",
        "legend.frameon": False,
        "hatch.linewidth": 0.6,
    },
]
# Okabe and Ito's palette, dark enough for white paper, told apart with every common form of colour
# blindness; in print, lines differ in their dashes and points in their marker as well.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vPX"
DASHES = ("-", "--", "-.", ":")
# Of a calibration, in every figure: colour and dashes; others take what is left.
_CALIBRATIONS = {
    "none": ("#000000", "--"),
    "pooled": (BLUE, "-"),
    "full": (ORANGE, ":"),
    "point": (GREEN, "-."),
    "local": (PURPLE, (0, (5, 1))),
    "edge": (COLORS[4], "-"),
}


def calibration_look(name: str) -> tuple[str, Any]:
    """Return colour and dashes of a calibration, the same in every figure."""
    return _CALIBRATIONS.get(name, (COLORS[5], (0, (3, 1, 1, 1))))


def new_figure(width: float, height: float, **options: Any) -> Figure:
    """Return an empty figure of a size in inches at 200 dots each, which lays itself out.

    Draw in it under `matplotlib.style.context(STYLE)`.
    """
    return Figure(figsize=(width, height), dpi=200, layout="constrained", **options)


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that `path` ends in, without a date or a version in it."""
    names = ("Date", "Creator") if path.suffix == ".svg" else ("Software",)
    with matplotlib.style.context(STYLE):
        figure.savefig(path, metadata=dict.fromkeys(names))
