"""How latency and memory grow with the size of the image and with the batch."""

from collections.abc import Sequence
from typing import Any

import matplotlib.style
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, StrMethodFormatter

from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.style import COLORS, DASHES, MARKERS, STYLE, new_figure
from eacnet.report.results import Results
from eacnet.report.tables.speed import Timing
from eacnet.report.tables.text import TIMES

PIXELS, BATCH = "image (pixels)", "images in a batch"


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
    rows = pd.DataFrame([row for row in timed if row.get("median_ms")])
    if rows.empty:
        return None
    rows["size"] = rows["height"].astype(str) + TIMES + rows["width"].astype(str)
    rows[PIXELS], rows[BATCH] = rows["height"] * rows["width"], rows["batch"]
    rows["name"] = rows[["network", "form", "precision", "device"]].agg(", ".join, axis="columns")
    single, several = rows[rows["batch"] == 1], rows[rows["batch"] > 1]["size"]
    batches = rows[rows["size"].isin(several)]
    batches = batches.assign(name=batches["name"] + ", " + batches["size"])
    panels = []
    for found, over in ((single, PIXELS), (batches, BATCH)):
        for key, label in (("median_ms", "median (ms)"), ("peak_memory_mb", "peak memory (MB)")):
            points = found.dropna(subset=key).drop_duplicates(["name", over], keep="last")
            lines = {
                name: line.sort_values(over)[[over, key]].to_numpy().tolist()
                for name, line in points.groupby("name", sort=False)
                if len(line) > 1
            }
            if lines:
                panels.append((lines, over, label))
    if not panels:
        return None
    sizes = dict(zip(single[PIXELS], single["size"], strict=True))
    names = list(dict.fromkeys(name for lines, _, _ in panels for name in lines))
    looks = {name: _look(place) for place, name in enumerate(names)}
    columns = min(2, len(panels))
    lines_of_panels = -(-len(panels) // columns)
    with matplotlib.style.context(STYLE):
        figure = new_figure(4.6 * columns, 2.9 * lines_of_panels + 0.25 * len(names))
        grid = list(figure.subplots(lines_of_panels, columns, squeeze=False).flat)
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
