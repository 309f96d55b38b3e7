"""Speed: accuracy against frame rate on each device, and how latency and memory grow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, StrMethodFormatter
from matplotlib.transforms import Bbox

from eacnet.report.figures.style import BLUE, COLORS, DASHES, MARKERS, ORANGE, STYLE, new_figure
from eacnet.report.tables.table import TIMES
from eacnet.report.tables.timing import Timing, representative

UNSTATED = "device not stated"
PIXELS = "image (pixels)"
MOST_IN_HALF_A_ROW = 5


@dataclass(frozen=True)
class Point:
    """A network in the scatter: FPS, mIoU in percent, its name, and whether we measured it."""

    fps: float
    miou: float
    name: str
    ours: bool


def accuracy_speed_points(
    ablation: Mapping[str, Any],
    timed: Sequence[Timing],
    published: Sequence[Mapping[str, str]],
    dataset: str,
    size: Sequence[int],
) -> dict[str, list[Point]]:
    """Return the networks of each device: one that we timed, or one that publications name.

    Ours are taken at the size that was scored, in the fastest fp32 runtime; nothing is combined
    that was measured at two sizes.

    Args:
        ablation: ablation.json.
        timed: all timings, as `timing.timings` returns them.
        published: the rows of data/published.csv.
        dataset: its name.
        size: height and width of the frames that were scored.
    """
    own_size = [row for row in timed if [row["height"], row["width"]] == list(size)]
    panels: dict[str, list[Point]] = {}
    for group in ablation["groups"]:
        kind = group["backbone"], group["calibration"]
        name = kind[0] if kind[1] == "none" else f"{kind[0]} + {kind[1]}"
        for device, row in representative(own_size, *kind, size).items():
            point = Point(row["fps"], group["scores"]["miou"]["mean"], name, ours=True)
            panels.setdefault(f"{device} (ours)", []).append(point)
    for row in published:
        if row["dataset"] == dataset and row["fps"] and row["miou_percent"]:
            device = row["device"] if row["device"] not in ("", "unstated") else UNSTATED
            name = row["method"]
            if row["input_height"]:
                name += f" ({row['input_height']}{TIMES}{row['input_width']})"
            point = Point(float(row["fps"]), float(row["miou_percent"]), name, ours=False)
            panels.setdefault(f"{device} (published)", []).append(point)
    return panels


def accuracy_speed_figure(panels: Mapping[str, Sequence[Point]]) -> Figure:
    """Draw mIoU over FPS, one panel for each device.

    Args:
        panels: as `accuracy_speed_points` returns them; at least one.
    """
    # A panel of many points takes a whole row.
    wide = [device for device, points in panels.items() if len(points) > MOST_IN_HALF_A_ROW]
    narrow = [device for device in panels if device not in wide]
    pairs = [narrow[i : i + 2] for i in range(0, len(narrow), 2)]
    mosaic = [pair if len(pair) == 2 else [*pair, "."] for pair in pairs]
    mosaic += [[device, device] for device in wide]
    heights = [2.2] * len(pairs) + [3.8] * len(wide)
    with matplotlib.style.context(STYLE):
        figure = new_figure(9.4, sum(heights))
        grid = figure.subplot_mosaic(mosaic, height_ratios=heights)
        for device, points in panels.items():
            axes = grid[device]
            for ours, color, marker in ((True, BLUE, "o"), (False, ORANGE, "D")):
                those = [(one.fps, one.miou) for one in points if one.ours == ours]
                if those:
                    axes.plot(*zip(*those, strict=True), marker, color=color, markersize=5)
            axes.set_title(device, loc="left")
            axes.set_xlabel("frames per second")
            axes.set_ylabel("mIoU (%)")
            axes.margins(0.2, 0.25)  # room for the names
        # Names are placed once the panels stand where they stay.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for device, points in panels.items():
            _name(grid[device], points)
    return figure


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


def _name(axes: Axes, points: Sequence[Point]) -> None:
    """Write every point's name beside it where it lies over no other name and no point."""
    figure = axes.figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    inside = axes.get_window_extent(renderer)
    marks = [axes.transData.transform((one.fps, one.miou)) for one in points]
    taken = [Bbox.from_bounds(x - 8, y - 8, 16, 16) for x, y in marks]
    for one, _ in sorted(zip(points, marks, strict=True), key=lambda pair: -pair[0].miou):
        best = None
        for dx, dy, side in _places():
            text = axes.annotate(
                one.name,
                (one.fps, one.miou),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=7.5,
                fontweight="bold" if one.ours else "normal",
                arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.5, "shrinkB": 3}
                if abs(dy) > 14
                else None,
            )
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer).padded(1)  # without the leader
            hits = sum(box.overlaps(other) for other in taken)
            hits += 9 * (not (inside.x0 <= box.x0 and box.x1 <= inside.x1))
            hits += 9 * (not (inside.y0 <= box.y0 and box.y1 <= inside.y1))
            if best is None or hits < best[0]:
                if best:
                    best[1].remove()
                best = hits, text, box
            else:
                text.remove()
            if not best[0]:
                break
        taken.append(best[2])


def _places() -> list[tuple[float, float, str]]:
    """Return offsets in points at which to try a name, the nearest first, and its alignment."""
    near = [(6, 0, "left"), (-6, 0, "right"), (0, 9, "center"), (0, -9, "center")]
    far = [
        (dx, dy, side)
        for dy in (10, -10, 18, -18, 26, -26, 36, -36, 46, -46)
        for dx, side in ((5, "left"), (-5, "right"), (0, "center"))
    ]
    return near + far
