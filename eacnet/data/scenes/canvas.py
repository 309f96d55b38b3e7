"""An image and its label map, painted together from the same shapes.

Only whole numbers, IEEE arithmetic and Pillow's integer rasteriser are used, so that a seed gives
the same pixels on every machine.
"""

import numpy as np
from PIL import Image, ImageDraw

# The image is painted this many times larger and averaged down, which smooths its edges.
OVERSAMPLING = 2

Point = tuple[float, float]
Color = tuple[int, int, int]


class Canvas:
    """A picture being painted back to front: what comes later hides what was there."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._image = Image.new("RGB", (width * OVERSAMPLING, height * OVERSAMPLING))
        self._labels = Image.new("L", (width, height))
        self._paint = ImageDraw.Draw(self._image)
        self._mark = ImageDraw.Draw(self._labels)

    def polygon(self, points: list[Point], color: Color, label: int | None = None) -> None:
        """Fill a polygon; without a label it is paint on whatever is there."""
        self._paint.polygon(_grid(points, OVERSAMPLING), fill=color)
        if label is not None:
            self._mark.polygon(_grid(points, 1), fill=label)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, color: Color, label: int | None = None
    ) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color, label)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, color: Color, label: int | None = None
    ) -> None:
        """Fill an ellipse around (x, y)."""
        corners = [(x - rx, y - ry), (x + rx, y + ry)]
        self._paint.ellipse(_grid(corners, OVERSAMPLING), fill=color)
        if label is not None:
            self._mark.ellipse(_grid(corners, 1), fill=label)

    def line(
        self, points: list[Point], thickness: float, color: Color, label: int | None = None
    ) -> None:
        """Draw a line, at least one pixel thick in the label map."""
        self._paint.line(
            _grid(points, OVERSAMPLING), fill=color, width=max(round(thickness * OVERSAMPLING), 1)
        )
        if label is not None:
            self._mark.line(_grid(points, 1), fill=label, width=max(round(thickness), 1))

    def ring(
        self, x: float, y: float, radius: float, thickness: float, color: Color, label: int
    ) -> None:
        """Draw a circle's outline."""
        corners = [(x - radius, y - radius), (x + radius, y + radius)]
        self._paint.ellipse(
            _grid(corners, OVERSAMPLING),
            outline=color,
            width=max(round(thickness * OVERSAMPLING), 1),
        )
        self._mark.ellipse(_grid(corners, 1), outline=label, width=max(round(thickness), 1))

    def shadow(self, points: list[Point], strength: int) -> None:
        """Darken a polygon by `strength` of 255; whatever is painted later stays bright."""
        corners = _grid(points, OVERSAMPLING)
        left, top = (max(min(axis), 0) for axis in zip(*corners, strict=True))
        right = min(max(x for x, _ in corners) + 1, self._image.width)
        bottom = min(max(y for _, y in corners) + 1, self._image.height)
        if right <= left or bottom <= top:
            return
        region = self._image.crop((left, top, right, bottom))
        mask = Image.new("L", region.size)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in corners], fill=255)
        dark = region.point([level * (255 - strength) // 255 for level in range(256)] * 3)
        self._image.paste(dark, (left, top), mask)

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the image, uint8 (H,W,3), and the label ids, uint8 (H,W)."""
        return np.asarray(self._image.reduce(OVERSAMPLING)), np.asarray(self._labels)


def _grid(points: list[Point], factor: int) -> list[tuple[int, int]]:
    return [(round(x * factor), round(y * factor)) for x, y in points]
