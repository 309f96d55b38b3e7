"""What the tests of the figures look at: where texts lie, and data to draw."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg


def texts(figure):
    """Return the boxes of all visible texts in pixels, with their text."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.canvas.draw()
    found = [t for t in figure.findobj(lambda a: hasattr(a, "get_text")) if t.get_text().strip()]
    return [(t.get_text(), t.get_window_extent(renderer)) for t in found if t.get_visible()]


def assert_apart(figure, boxes):
    """Every (name, box) lies within the figure, and none over another."""
    width, height = figure.get_size_inches() * figure.dpi
    for name, box in boxes:
        assert -0.5 <= box.x0 < box.x1 <= width + 0.5, name
        assert -0.5 <= box.y0 < box.y1 <= height + 0.5, name
    for (name, box), (other, other_box) in combinations(boxes, 2):
        assert not box.overlaps(other_box), (name, other)
