"""Accuracy against speed: what calibration costs and gives on each device that was timed here."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.labels import Label, name_points
from eacnet.report.figures.style import STYLE, calibration_look, new_figure
from eacnet.report.results import Results
from eacnet.report.tables.columns import named
from eacnet.report.tables.speed import COMMON_SIZE, single_images
from eacnet.report.tables.text import TIMES

UNSTATED = "unstated device"
GREY = "0.55"
PRECISIONS = {"fp32": "o", "fp16": "^", "bf16": "s", "int8": "D"}


class Point(NamedTuple):
    """A network of ours on one device: frames per second and mIoU in percent."""

    fps: float
    miou: float
    backbone: str
    calibration: str
    precision: str

    @property
    def name(self) -> str:
        """Its network in words."""
        return self.backbone + ("" if self.calibration == "none" else f" + {self.calibration}")


@drawing(
    "accuracy_speed",
    "Accuracy against speed",
    "mIoU over frames per second on the device measured here",
    "One panel for each device that was timed here: the mean mIoU of the ablation, and the frame"
    " rate of one image at a time, from the 8-bit image to the label map, in the runtime that most"
    " of these networks were timed in at that precision, the fastest of such. A line leads from a"
    " network to what calibration makes of it. mIoU was scored in fp32; the table of speed says how"
    " many labels agree in other precisions. Grey: published figures as their sources state them,"
    " each on its own device; frame rates of two devices do not compare, nor do scores of two image"
    " sizes.",
)
def accuracy_speed(results: Results, pictures: Pictures) -> Figure | None:
    """Draw mIoU over frames per second."""
    panels = {
        device: (size, points)
        for device in dict.fromkeys(row["device"] for row in results.timed)
        if (found := measured(results, device))
        for size, points in [found]
    }
    published = published_points(results)
    heights = [4.2] * len(panels) + [3.4 if len(published) < 9 else 5.5] * bool(published)
    if not heights:
        return None
    with matplotlib.style.context(STYLE):
        figure = new_figure(9, sum(heights) + 0.4)
        grid = figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0]
        for axes, (device, (size, points)) in zip(grid, panels.items(), strict=False):
            _draw(axes, points)
            axes.set_title(f"measured here: {device}, {size[0]} {TIMES} {size[1]}", loc="left")
        if published:
            for one in published:
                grid[-1].plot(one.x, one.y, "x", color=GREY, markersize=5)
            _scale(grid[-1], [one.x for one in published])
            grid[-1].set_title("published, each on its own device", loc="left", color="0.35")
        for axes in grid:
            axes.set_xlabel("frames per second")
            axes.set_ylabel("mIoU (%)")
            axes.margins(0.2, 0.2)  # room for the names
        legend = _legend([one for _, points in panels.values() for one in points])
        if legend:
            figure.legend(handles=legend, loc="outside upper right", ncols=len(legend))
        # Names are placed once the panels stand where they stay.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        labels = [[_label(one) for one in points] for _, points in panels.values()]
        for axes, names in zip(grid, [*labels, published], strict=False):
            name_points(axes, names)
    return figure


def measured(results: Results, device: str) -> tuple[tuple[int, int], list[Point]] | None:
    """Return the image size and the points of our networks that were timed on a device.

    All points of a panel are of one size: the scored one where any was timed at it, otherwise the
    common one, otherwise the smallest. None where no network of the ablation was timed.
    """
    kinds = {named(group): group["scores"]["miou"]["mean"] for group in results.groups}
    rows = [
        row for row in single_images(results.timed)
        if row["device"] == device and (row["backbone"], row["calibration"]) in kinds
    ]  # fmt: skip
    if not rows:
        return None
    sizes = sorted({(row["height"], row["width"]) for row in rows})
    wanted = (tuple(results.size), COMMON_SIZE)
    size = next((size for size in wanted if size in sizes), sizes[0])
    rows = [row for row in rows if (row["height"], row["width"]) == size]
    points = []
    for precision in dict.fromkeys(row["precision"] for row in rows):
        timed: dict[str, dict[tuple[str, str], float]] = {}  # runtime -> network -> FPS
        for row in rows:
            if row["precision"] == precision:
                rates = timed.setdefault(row["form"], {})
                rates[row["backbone"], row["calibration"]] = row["fps"]
        # A network without calibration that only a slow runtime has timed must not look slow.
        rates = max(timed.values(), key=lambda one: (len(one), sum(one.values())))
        points += [Point(fps, kinds[kind], *kind, precision) for kind, fps in rates.items()]
    return size, points


def published_points(results: Results) -> list[Label]:
    """Return the published figures of this dataset, each named with its size and device."""
    points = []
    for row in results.published:
        if row["dataset"] == results.data["dataset"] and row["fps"] and row["miou_percent"]:
            device = row["device"] if row["device"] not in ("", "unstated") else UNSTATED
            size = (
                f" {row['input_height']}{TIMES}{row['input_width']}" if row["input_height"] else ""
            )
            name = f"{row['method']}{size} ({device})"
            points.append(Label(float(row["fps"]), float(row["miou_percent"]), name, GREY))
    return points


def _label(one: Point) -> Label:
    """Name a network once, at its point in fp32."""
    name = one.name if one.precision == "fp32" else ""
    return Label(one.fps, one.miou, name, calibration_look(one.calibration)[0])


def _draw(axes: Axes, points: Sequence[Point]) -> None:
    # A thin line leads from a network to what calibration makes of it.
    for one in points:
        for other in points:
            same = (one.backbone, one.precision) == (other.backbone, other.precision)
            if same and one.calibration == "none" != other.calibration:
                ends = [one.fps, other.fps], [one.miou, other.miou]
                axes.plot(*ends, color="0.75", linewidth=0.8, zorder=1)
    for one in points:
        color, _ = calibration_look(one.calibration)
        face = "white" if one.calibration == "none" else color
        marker = PRECISIONS.get(one.precision, "X")
        axes.plot(one.fps, one.miou, marker, color=color, markerfacecolor=face, markersize=6)
    _scale(axes, [one.fps for one in points])


def _scale(axes: Axes, rates: Sequence[float]) -> None:
    """Make the axis of frame rates logarithmic where they differ widely."""
    low, high = min(rates), max(rates)
    if high > 3 * low:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        # A few percent must not look like a factor.
        axes.set_xlim(low / 1.4, high * 1.4)


def _legend(points: Sequence[Point]) -> list[Line2D]:
    handles = []
    for name in dict.fromkeys(one.calibration for one in points):
        color, _ = calibration_look(name)
        face = "white" if name == "none" else color
        label = "without calibration" if name == "none" else name
        look = {"color": color, "markerfacecolor": face, "linestyle": "", "marker": "o"}
        handles.append(Line2D([], [], label=label, **look))
    used = {one.precision for one in points}
    for name, marker in PRECISIONS.items():
        if name in used:
            look = {"color": "0.3", "linestyle": "", "marker": marker, "markerfacecolor": "0.8"}
            handles.append(Line2D([], [], label=name, **look))
    return handles
