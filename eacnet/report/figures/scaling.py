"""How latency and memory grow with the size of the image and with the batch."""

from collections.abc import Sequence
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, StrMethodFormatter

from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.style import COLORS, DASHES, MARKERS, STYLE, new_figure
from eacnet.report.results import Results
from eacnet.report.tables.speed import Timing
from eacnet.report.tables.text import TIMES

PIXELS = "image (pixels)"


@drawing(
    "scaling",
    "Latency and memory",
    "Latency and peak memory over image size and batch",
    "How the time of a pass and the memory that it takes at most grow with the number of pixels and"
    " with the batch; both axes are logarithmic.",
)
def scaling(results: Results, pictures: Pictures) -> Figure | None:
    """Draw the timings that were made for this, of every machine."""
    return scaling_figure(
        [
            {"device": machine["machine"]["device"], **row}
            for machine in results.speed
            for row in machine.get("scaling", ())
        ]
    )


def scaling_figure(timed: Sequence[Timing]) -> Figure | None:
    """Draw latency and memory over pixels, one image at a time, and over the batch.

    Args:
        timed: rows of "scaling" with the device in each.

    Returns:
        None where nothing has been timed at two sizes or batches.
    """
    timed = [row for row in timed if row.get("median_ms")]
    several = {(row["height"], row["width"]) for row in timed if row.get("batch", 1) > 1}
    batches = [row for row in timed if (row["height"], row["width"]) in several]
    single = [row for row in timed if row.get("batch", 1) == 1]
    panels = []
    for rows, over in ((single, PIXELS), (batches, "images in a batch")):
        for key, label in (("median_ms", "median (ms)"), ("peak_memory_mb", "peak memory (MB)")):
            lines = _lines([row for row in rows if row.get(key)], over, key)
            if lines:
                panels.append((lines, over, label))
    if not panels:
        return None
    sizes = {
        row["height"] * row["width"]: f"{row['height']}{TIMES}{row['width']}" for row in single
    }
    names = list(dict.fromkeys(name for lines, _, _ in panels for name in lines))
    looks = {name: _look(place) for place, name in enumerate(names)}
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    with matplotlib.style.context(STYLE):
        figure = new_figure(4.6 * columns, 2.9 * rows + 0.25 * len(names))
        grid = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes, (lines, over, label) in zip(grid, panels, strict=False):
            for name, points in lines.items():
                axes.plot(*zip(*points, strict=True), **looks[name])
            axes.loglog()
            axes.set_xlabel(over)
            axes.set_ylabel(label)
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
            axes.set_yticks([], minor=True)
            ticks = sorted({x for points in lines.values() for x, _ in points})
            axes.set_xticks(ticks, [sizes.get(x, f"{x:g}") for x in ticks], fontsize=8.5)
            axes.set_xticks([], minor=True)
        for axes in grid[len(panels) :]:
            axes.remove()
        # All lines are named once, whichever panel shows them.
        handles = [Line2D([], [], label=name, **look) for name, look in looks.items()]
        figure.legend(handles=handles, loc="outside lower left", ncols=1)
    return figure


def _look(place: int) -> dict[str, Any]:
    """Return colour, marker and dashes of a line, told apart in grey as well."""
    return {
        "color": COLORS[place % len(COLORS)],
        "marker": MARKERS[place % len(MARKERS)],
        "linestyle": DASHES[place % len(DASHES)],
        "markersize": 4,
    }


def _lines(rows: Sequence[Timing], over: str, key: str) -> dict[str, list[tuple[float, float]]]:
    """Return the points of each line that has at least two, by its name."""
    lines: dict[str, dict[float, float]] = {}
    for row in rows:
        parts = [row.get("network"), row.get("form"), row.get("precision"), row["device"]]
        if over != PIXELS:
            parts.append(f"{row['height']}{TIMES}{row['width']}")
        name = ", ".join(part for part in parts if part)
        x = row["height"] * row["width"] if over == PIXELS else row.get("batch", 1)
        lines.setdefault(name, {})[x] = row[key]
    return {name: sorted(points.items()) for name, points in lines.items() if len(points) > 1}
