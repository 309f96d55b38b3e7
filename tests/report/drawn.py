"""What the tests of the figures look at: where texts lie, and data to draw."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text


def texts(figure):
    """Return the boxes of all visible texts in pixels, with their text."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.canvas.draw()
    found = [t for t in figure.findobj(Text) if t.get_text().strip()]
    # Labels of ticks outside the view are there, too, but are never drawn.
    undrawn = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low <= tick.get_loc() <= high:
                undrawn |= {tick.label1, tick.label2}
    found = [t for t in found if t.get_visible() and t not in undrawn]
    return [(t.get_text(), Text.get_window_extent(t, renderer)) for t in found]


def assert_apart(figure, boxes):
    """Every (name, box) lies within the figure, and none over another."""
    width, height = figure.get_size_inches() * figure.dpi
    for name, box in boxes:
        assert -0.5 <= box.x0 < box.x1 <= width + 0.5, name
        assert -0.5 <= box.y0 < box.y1 <= height + 0.5, name
    for (name, box), (other, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), (name, other)
