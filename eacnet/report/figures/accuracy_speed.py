"""Accuracy against speed: what calibration costs and gives on each device that was timed here."""

from collections.abc import Sequence

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from eacnet.config.names import AGREEMENT
from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.labels import Label, name_points
from eacnet.report.figures.style import STYLE, calibration_look, new_figure
from eacnet.report.results import Results
from eacnet.report.tables.balance import Point, front, points, shown_size
from eacnet.report.tables.text import MINUS, TIMES

UNSTATED = "unstated device"
GREY, INK = "0.55", "0.15"
Move = tuple[str, str, tuple[float, float]]
MARKS = {"fp32": "o", "fp16": "^", "bf16": "s", "int8": "D"}


@drawing(
    "accuracy_speed",
    "Accuracy against speed",
    "mIoU over frames per second on each device measured here, and how calibration moves a network",
    "One panel for each device that was timed here: the mean mIoU of the ablation, and the frame"
    " rate of one image at a time, from the 8-bit image to the label map, in the runtime that most"
    " of these networks were timed in at that precision, the fastest of such. Hollow: without"
    " calibration, filled: with it. Beside it the same as differences: an arrow for each network"
    " leads from where it is without calibration to where calibration moves it, in fp32. The"
    " front: no other network is as fast and as accurate. mIoU was scored in fp32: points in other"
    f" precisions that keep fewer than {100 * AGREEMENT:g} % of those labels are pale and not on"
    " the front. Grey panel: published figures as their sources state them, each on its own device;"
    " frame rates of two devices do not compare, nor do scores of two image sizes.",
)
def accuracy_speed(results: Results, pictures: Pictures) -> Figure | None:
    """Draw mIoU over frames per second."""
    panels = measured(results)
    published = published_points(results)
    heights = [4.6] * len(panels) + [3.4 if len(published) < 9 else 5.5] * bool(published)
    if not heights:
        return None
    with matplotlib.style.context(STYLE):
        figure = new_figure(11, sum(heights) + 0.5)
        grid = figure.add_gridspec(len(heights), 2, height_ratios=heights, width_ratios=(2, 1))
        labelled = []
        for row, panel in enumerate(panels):
            changes = moves(panel)
            axes = figure.add_subplot(grid[row, 0] if changes else grid[row, :])
            _draw(axes, panel)
            device, (height, width) = panel[0].device, panel[0].size
            axes.set_title(f"measured here: {device}, {height} {TIMES} {width}", loc="left")
            labelled.append((axes, _labels(panel)))
            if changes:
                axes = figure.add_subplot(grid[row, 1])
                _draw_moves(axes, changes)
                labelled.append((axes, _labels_of_moves(changes)))
        if published:
            axes = figure.add_subplot(grid[-1, :])
            _draw_published(axes, published)
            labelled.append((axes, published))
        if legend := _legend([one for panel in panels for one in panel]):
            figure.legend(handles=legend, loc="outside upper right", ncols=len(legend))
        # Names are placed once the panels stand where they stay.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for axes, names in labelled:
            name_points(axes, names)
    return figure


def measured(results: Results) -> list[list[Point]]:
    """Return the points of each device, all of one size: the scored one where it was timed."""
    found = points(results)
    panels = []
    for device in dict.fromkeys(row["device"] for row in results.timed):
        here = [one for one in found if one.device == device]
        if here:
            size = shown_size(results, here)
            panels.append([one for one in here if one.size == size])
    return panels


def pairs(panel: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Return each network without and with calibration, in the same precision; fp32 first."""
    alone = [one for one in panel if one.calibration == "none"]
    found = [
        (one, other)
        for one in alone
        for other in panel
        if (one.backbone, one.precision) == (other.backbone, other.precision) and other != one
    ]
    return sorted(found, key=lambda pair: pair[0].precision != "fp32")


def moves(panel: Sequence[Point]) -> list[Move]:
    """Return what calibration changes: (name, its colour, (frame rate in %, mIoU in points)).

    In fp32, or for want of that in the first precision that a network was timed in. The name is of
    what differs among them: backbones, or the calibrations of a single one.
    """
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for one, other in pairs(panel):
        change = 100 * (other.fps / one.fps - 1), other.miou - one.miou
        found.setdefault((one.backbone, other.calibration), change)
    single = len({backbone for backbone, _ in found}) == 1
    return [
        (calibration if single else backbone, calibration_look(calibration)[0], change)
        for (backbone, calibration), change in found.items()
    ]


def published_points(results: Results) -> list[Label]:
    """Return the published figures of this dataset, each named with its size and device."""
    found = []
    for row in results.published:
        if row["dataset"] == results.data["dataset"] and row["fps"] and row["miou_percent"]:
            device = row["device"] if row["device"] not in ("", "unstated") else UNSTATED
            size = (
                f" {row['input_height']}{TIMES}{row['input_width']}" if row["input_height"] else ""
            )
            name = f"{row['method']}{size} ({device})"
            found.append(Label(float(row["fps"]), float(row["miou_percent"]), name, GREY))
    return found


def _labels(panel: Sequence[Point]) -> list[Label]:
    """Name each backbone once, at its first point; the others only keep names away."""
    labels, seen = [], set()
    for one in sorted(panel, key=lambda one: (one.precision != "fp32", one.calibration != "none")):
        labels.append(Label(one.fps, one.miou, "" if one.backbone in seen else one.backbone, INK))
        seen.add(one.backbone)
    return labels


def _labels_of_moves(changes: Sequence[Move]) -> list[Label]:
    """Name each arrow at its head; points along the arrows only keep names away."""
    labels = [Label(*end, name, color) for name, color, end in changes]
    along = [step / 10 for step in range(10)]
    return labels + [Label(x * at, y * at, "", "") for _, _, (x, y) in changes for at in along]


def _draw(axes: Axes, panel: Sequence[Point]) -> None:
    best = front(panel)
    axes.step(
        [one.fps for one in best], [one.miou for one in best], where="pre",
        color="0.8", linewidth=3, zorder=1, solid_joinstyle="round",
    )  # fmt: skip
    for one in panel:
        color, _ = calibration_look(one.calibration)
        face = "white" if one.calibration == "none" else color
        look = {"color": color, "markerfacecolor": face, "alpha": 1 if one.as_scored else 0.3}
        axes.plot(one.fps, one.miou, MARKS.get(one.precision, "X"), markersize=6, **look)
    for one, other in pairs(panel):
        look = {"color": calibration_look(other.calibration)[0], "linewidth": 0.7, "alpha": 0.6}
        arrow = {"arrowstyle": "->", "shrinkA": 4, "shrinkB": 3, **look}
        axes.annotate("", (other.fps, other.miou), (one.fps, one.miou), arrowprops=arrow)
    # A hundredth must not look like a leap.
    middle = (max(one.miou for one in panel) + min(one.miou for one in panel)) / 2
    axes.update_datalim([(panel[0].fps, middle + away) for away in (-0.5, 0.5)])
    _scale(axes, [one.fps for one in panel])
    axes.set_xlabel("frames per second")
    axes.set_ylabel("mIoU (%)")
    axes.margins(0.12, 0.12)  # room for the names


def _draw_moves(axes: Axes, changes: Sequence[Move]) -> None:
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.axvline(0, color="0.6", linewidth=0.8)
    axes.plot(0, 0, "o", color="black", markerfacecolor="white", markersize=6, zorder=3)
    # The limits follow points, not arrows.
    axes.plot([-5, 5], [-0.5, 0.5], linestyle="")
    for _, color, end in changes:
        axes.plot(*end, ",", color=color)
        arrow = {"arrowstyle": "-|>", "color": color, "shrinkA": 4, "shrinkB": 0, "linewidth": 1.2}
        axes.annotate("", end, (0, 0), arrowprops=arrow)
    axes.set_title("what calibration changes", loc="left")
    axes.set_xlabel("frame rate (%)")
    axes.set_ylabel("mIoU (points)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda x, _: f"{x:+g}".replace("-", MINUS) if x else "0")
    axes.margins(0.25, 0.2)


def _draw_published(axes: Axes, published: Sequence[Label]) -> None:
    for one in published:
        axes.plot(one.x, one.y, "x", color=GREY, markersize=5)
    _scale(axes, [one.x for one in published])
    axes.set_title("published, each on its own device", loc="left", color="0.35")
    axes.set_xlabel("frames per second")
    axes.set_ylabel("mIoU (%)")
    axes.margins(0.2, 0.2)


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


def _legend(shown: Sequence[Point]) -> list[Line2D]:
    handles = []
    names = dict.fromkeys(one.calibration for one in shown)
    for name in sorted(names, key=lambda name: name != "none"):
        color, _ = calibration_look(name)
        face = "white" if name == "none" else color
        label = "without calibration" if name == "none" else name
        look = {"color": color, "markerfacecolor": face, "linestyle": "", "marker": "o"}
        handles.append(Line2D([], [], label=label, **look))
    used = {one.precision for one in shown}
    for name, marker in MARKS.items():
        if name in used:
            look = {"color": "0.3", "linestyle": "", "marker": marker, "markerfacecolor": "0.8"}
            handles.append(Line2D([], [], label=name, **look))
    if shown:
        handles.append(Line2D([], [], label="front", color="0.8", linewidth=3))
    return handles
