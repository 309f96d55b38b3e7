"""Names beside points, where they lie over no other name and no point."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from matplotlib.transforms import Bbox


class Label(NamedTuple):
    """A point in the data's units and its name; without one, the point only keeps names away."""

    x: float
    y: float
    name: str
    color: str


def name_points(axes: Axes, points: Sequence[Label]) -> None:
    """Write every point's name beside it where it lies over no other name and no point."""
    figure = axes.figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    inside = axes.get_window_extent(renderer)
    marks = [axes.transData.transform((one.x, one.y)) for one in points]
    taken = [Bbox.from_bounds(x - 8, y - 8, 16, 16) for x, y in marks]
    for one in sorted((one for one in points if one.name), key=lambda one: -one.y):
        best = None
        for dx, dy, side in _places():
            text = axes.annotate(
                one.name,
                (one.x, one.y),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=7.5,
                color=one.color,
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
