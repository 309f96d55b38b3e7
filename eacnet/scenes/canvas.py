"""A canvas on which one stroke paints colour and label, seen through a pinhole camera.

The world is in metres: x to the right, y up, z forward from the camera, which looks along z. Points
are projected to whole pixels and polygons are filled in integer arithmetic, and nothing here but
+ - * / and sqrt touches a float: the pixels are the same on every machine.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from eacnet.scenes.light import Color, Light

# The image is drawn at twice its size and averaged, which smooths edges as a lens would.
SUPERSAMPLING = 2
NEAR = 0.8
THINNEST = SUPERSAMPLING

Point = tuple[float, float, float]
Pixel = tuple[int, int]

# The sine and cosine of 16 directions, rounded: circles are 16-gons.
CIRCLE = tuple(
    (round(math.cos(math.pi * i / 8), 4), round(math.sin(math.pi * i / 8), 4)) for i in range(16)
)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks along the street.

    Focal length, column of the optical axis and row of the horizon are in pixels of the canvas,
    the height above the road is in metres.
    """

    focal: float
    column: float
    horizon: float
    height: float

    def project(self, point: Point) -> Pixel:
        """Return the pixel corner (column, row) nearest to the image of `point`; z must be > 0."""
        x, y, z = point
        return (
            math.floor(self.column + self.focal * x / z + 0.5),
            math.floor(self.horizon + self.focal * (self.height - y) / z + 0.5),
        )


class Patch(NamedTuple):
    """Pixels of the canvas: a box, and which of its pixels are meant, bool (rows, columns)."""

    rows: slice
    cols: slice
    mask: np.ndarray


class Canvas:
    """Colours and label ids of a scene in the making, painted from back to front.

    `pixels` is uint8 (2H,2W,4): red, green, blue and label id. One write sets all four, so that
    image and labels agree to the pixel. `owners`, uint16 (2H,2W), has the `owner` at that time: a
    number that whoever paints sets anew for each thing.
    """

    def __init__(
        self, height: int, width: int, camera: Camera, light: Light, grain: np.ndarray
    ) -> None:
        self.height, self.width = SUPERSAMPLING * height, SUPERSAMPLING * width
        self.camera, self.light, self.grain = camera, light, grain
        self.pixels = np.zeros((self.height, self.width, 4), np.uint8)
        self._words = self.pixels.view(np.uint32)[..., 0]
        self.owners, self.owner = np.zeros(self._words.shape, np.uint16), 0

    def patch(self, points: Sequence[Point], facing: bool = False) -> Patch | None:
        """Return the pixels of a convex polygon in the world, or None where none is visible.

        With `facing`, a polygon whose corners do not run anticlockwise as seen is not visible.
        """
        outline = [self.camera.project(point) for point in _clip(points)]
        if facing and _signed_area(outline) <= 0:
            return None
        return self.outline(outline)

    def outline(self, corners: Sequence[Pixel]) -> Patch | None:
        """Return the pixels whose centre lies in a convex polygon of pixel corners (column, row).

        Every row is crossed by one edge that runs down and one that runs up; its pixels lie
        between the two crossings of its centre line, which are exact in integers.
        """
        columns, rows = zip(*corners, strict=True) if corners else ((0,), (0,))
        top, bottom = max(min(rows), 0), min(max(rows), self.height)
        left, right = max(min(columns), 0), min(max(columns), self.width)
        if top >= bottom or left >= right:
            return None
        box = slice(top, bottom), slice(left, right)
        if len(set(corners)) == 4 and len(set(columns)) == len(set(rows)) == 2:
            # An upright rectangle, as every third polygon is.
            return Patch(*box, np.ones((bottom - top, right - left), bool))
        down, up = [], []
        for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
            if y0 < y1:
                down.append((y0, y1, x0, x1))
            elif y1 < y0:
                up.append((y1, y0, x1, x0))
        edges, heights = [], []
        for y0, y1, x0, x1 in (*sorted(down), *sorted(up)):
            height = min(y1, bottom) - max(y0, top)
            if height > 0:
                edges.append((x0, 2 * y0 - 1, x1 - x0, y1 - y0, 2 * (y1 - y0)))
                heights.append(height)
        edges = np.array(edges).repeat(heights, axis=0).T.reshape(5, 2, bottom - top)
        start, above, run, fall, double = edges
        crossing = start - (fall - (np.arange(2 * top, 2 * bottom, 2) - above) * run) // double
        begin, end = np.minimum(*crossing), np.maximum(*crossing)
        columns = np.arange(left, right)
        mask = (columns >= begin[:, None]) & (columns < end[:, None])
        return Patch(*box, mask)

    def paint(self, patch: Patch | None, color: Color, label: int) -> None:
        """Set colour and label of the patch's pixels."""
        if patch is not None:
            self.paint_words(patch, pack(color, label))

    def paint_words(self, patch: Patch, words: np.ndarray | np.uint32) -> None:
        """Set the patch's pixels from `words`, uint32 (rows, columns) as `pack` makes them."""
        np.copyto(self._words[patch.rows, patch.cols], words, where=patch.mask)
        np.copyto(self.owners[patch.rows, patch.cols], self.owner, where=patch.mask)

    def relabel(self, patch: Patch | None, label: int) -> None:
        """Set the label of the patch's pixels and leave their colour."""
        if patch is not None:
            self.pixels[patch.rows, patch.cols, 3][patch.mask] = label
            self.owners[patch.rows, patch.cols][patch.mask] = self.owner

    def darken(self, patch: Patch | None, share: float) -> None:
        """Multiply the colour of the patch's pixels by `share` (0..1) and leave their label."""
        if patch is not None:
            colors = self.pixels[patch.rows, patch.cols, :3]
            table = (np.arange(256) * int(256 * share) >> 8).astype(np.uint8)
            colors[patch.mask] = table[colors[patch.mask]]

    def flat(self, points: Sequence[Point], color: Color, label: int) -> None:
        """Paint a convex polygon in the world, seen from either side, in haze but without shade."""
        self.paint(self.patch(points), self.light.hazed(color, _depth(points)), label)

    def face(self, points: Sequence[Point], color: Color, label: int) -> Patch | None:
        """Paint a convex polygon as the sun lights it; return its pixels if its front is seen."""
        patch = self.patch(points, facing=True)
        if patch is not None:
            self.paint(patch, self.lit(points, color), label)
        return patch

    def lit(self, points: Sequence[Point], color: Color) -> Color:
        """Return the colour of a polygon as the sun lights it and the haze veils it."""
        return self.light.hazed(self.light.shaded(color, _normal(points)), _depth(points))

    def limb(
        self, start: Point, end: Point, color: Color, label: int, widths: tuple[float, float]
    ) -> None:
        """Paint a bar from `start` to `end`, as wide at its ends as `widths` says (metres)."""
        if min(start[2], end[2]) < NEAR:
            return
        (x0, y0), (x1, y1) = self.camera.project(start), self.camera.project(end)
        dx, dy = x1 - x0, y1 - y0
        length = math.sqrt(dx * dx + dy * dy)
        across = (dy / length, -dx / length) if length else (1.0, 0.0)
        corners = []
        for (x, y), depth, width, sign in (
            ((x0, y0), start[2], widths[0], 1),
            ((x1, y1), end[2], widths[1], 1),
            ((x1, y1), end[2], widths[1], -1),
            ((x0, y0), start[2], widths[0], -1),
        ):
            half = sign * max(self.camera.focal * width / depth, THINNEST) / 2
            corners.append(
                (math.floor(x + half * across[0] + 0.5), math.floor(y + half * across[1] + 0.5))
            )
        self.paint(self.outline(corners), self.light.hazed(color, start[2]), label)

    def resolves(self, size: float, depth: float) -> bool:
        """Return whether something of `size` metres, `depth` metres away, is worth painting."""
        return self.camera.focal * size >= THINNEST * depth

    def disc(self, centre: Point, radius: float, color: Color, label: int) -> None:
        """Paint a ball: a circle from wherever it is seen (radius in metres)."""
        if centre[2] < NEAR:
            return
        x, y = self.camera.project(centre)
        r = max(self.camera.focal * radius / centre[2], THINNEST / 2)
        outline = [(math.floor(x + r * c + 0.5), math.floor(y + r * s + 0.5)) for c, s in CIRCLE]
        self.paint(self.outline(outline), self.light.hazed(color, centre[2]), label)


def pack(color: Color, label: int) -> np.uint32:
    """Return red, green, blue and label as one word that has their bytes in this order."""
    channels = [min(max(int(value), 0), 255) for value in color]
    return np.uint32(int.from_bytes((*channels, label), sys.byteorder))


def _clip(points: Sequence[Point]) -> list[Point]:
    """Return the part of a polygon that lies beyond the near plane."""
    if min([point[2] for point in points]) >= NEAR:
        return list(points)
    kept = []
    for here, there in zip(points, [*points[1:], points[0]], strict=True):
        if here[2] >= NEAR:
            kept.append(here)
        if (here[2] >= NEAR) != (there[2] >= NEAR):
            share = (NEAR - here[2]) / (there[2] - here[2])
            x, y = (here[i] + share * (there[i] - here[i]) for i in (0, 1))
            kept.append((x, y, NEAR))
    return kept


def _signed_area(outline: Sequence[Pixel]) -> int:
    """Return twice the area, positive where the corners run anticlockwise on the screen."""
    pairs = zip(outline, [*outline[1:], *outline[:1]], strict=True)
    return sum(x1 * y0 - x0 * y1 for (x0, y0), (x1, y1) in pairs)


def _depth(points: Sequence[Point]) -> float:
    return sum([point[2] for point in points]) / len(points)


def _normal(points: Sequence[Point]) -> Point:
    """Return the unit normal of a polygon whose corners run anticlockwise as seen from outside."""
    (x0, y0, z0), (x1, y1, z1), (x2, y2, z2) = points[0], points[1], points[-1]
    ax, ay, az = x1 - x0, y1 - y0, z1 - z0
    bx, by, bz = x2 - x0, y2 - y0, z2 - z0
    # z runs away from the viewer: the axes are left-handed, hence b x a.
    nx, ny, nz = by * az - bz * ay, bz * ax - bx * az, bx * ay - by * ax
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    return (nx / length, ny / length, nz / length) if length else (0.0, 1.0, 0.0)
