"""Upright walls, and patterns on them that follow the perspective: windows, bars, bricks."""

from dataclasses import dataclass

import numpy as np

from eacnet.scenes.canvas import Canvas, Patch, Point, pack
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.light import Color, mix, scaled

# Plaster, brick, stone, concrete: buildings and walls share them, so colour does not tell which.
MASONRY = (
    (206, 196, 176),
    (186, 180, 170),
    (158, 152, 146),
    (150, 96, 80),
    (172, 124, 98),
    (120, 110, 102),
    (204, 176, 128),
    (168, 172, 178),
    (222, 216, 208),
    (132, 92, 84),
    (176, 160, 140),
    (110, 116, 122),
)
SHOPFRONTS = (*MASONRY, (70, 84, 110), (150, 50, 46), (60, 90, 70))
CURTAINS = ((214, 196, 150), (200, 198, 192), (60, 66, 76))
PANES = ((52, 60, 70), (66, 76, 88), (44, 50, 56), (84, 96, 112), (150, 168, 188), (58, 64, 70))


@dataclass(frozen=True)
class Wall:
    """A wall's lower corner, the unit vector (x, z) of its run from there, and its length."""

    corner: Point
    run: tuple[float, float]
    length: float

    def corners(self, low: float, high: float) -> tuple[Point, ...]:
        """Return its corners between two heights, anticlockwise as seen from the street."""
        x, _, z = self.corner
        x1, z1 = x + self.run[0] * self.length, z + self.run[1] * self.length
        return ((x, low, z), (x1, low, z1), (x1, high, z1), (x, high, z))


def wall_along(side: int, x: float, start: float, end: float) -> Wall:
    """Return the wall at `x` on the left (-1) or right side of the street, facing the street."""
    if side < 0:
        return Wall((x, 0.0, start), (0.0, 1.0), end - start)
    return Wall((x, 0.0, end), (0.0, -1.0), end - start)


def wall_across(x: float, z: float, length: float) -> Wall:
    """Return the wall from `x` to the right that faces the camera."""
    return Wall((x, 0.0, z), (1.0, 0.0), length)


class Surface:
    """The visible pixels of a wall, and where on the wall each of them lies.

    `along` is metres from the wall's corner, float32 (columns,); `up` metres above the ground,
    float32 (rows, columns).
    """

    def __init__(
        self, canvas: Canvas, wall: Wall, points: tuple[Point, ...], patch: Patch, label: int
    ) -> None:
        self.canvas, self.points, self.patch, self.label = canvas, points, patch, label
        camera, (x, _, z), (run_x, run_z) = canvas.camera, wall.corner, wall.run
        columns = np.arange(patch.cols.start, patch.cols.stop) + 0.5
        rows = np.arange(patch.rows.start, patch.rows.stop) + 0.5
        slope = (columns - camera.column) / camera.focal
        along = (slope * z - x) / (run_x - slope * run_z)
        drop = (rows - camera.horizon) / camera.focal
        self.along = along.astype(np.float32)
        self.up = (camera.height - drop[:, None] * (z + along * run_z)).astype(np.float32)

    def paint(self, where: np.ndarray, color: Color) -> None:
        """Paint the pixels that bool (rows, columns) selects, as the sun lights the wall."""
        lit = self.canvas.lit(self.points, color)
        self.canvas.paint(self._part(where), lit, self.label)

    def paint_cells(self, where: np.ndarray, cells: np.ndarray, colors: list[Color]) -> None:
        """Paint selected pixels with the colour that their cell's number selects in turn."""
        lit = [pack(self.canvas.lit(self.points, color), self.label) for color in colors]
        words = np.array(lit)[cells.astype(np.int64) % len(lit)]
        self.canvas.paint_words(self._part(where), words)

    def _part(self, where: np.ndarray) -> Patch:
        return Patch(self.patch.rows, self.patch.cols, self.patch.mask & where)


def build(canvas: Canvas, wall: Wall, height: float, color: Color, label: int) -> Surface | None:
    """Paint a plain wall; return its surface where any of it is visible."""
    points = wall.corners(0.0, height)
    patch = canvas.face(points, color, label)
    return None if patch is None else Surface(canvas, wall, points, patch, label)


def stripes(position: np.ndarray, period: float, width: float) -> np.ndarray:
    """Return bool, true on stripes so wide and so far apart (metres)."""
    return np.floor(position / period) != np.floor((position + width) / period)


def build_facade(
    canvas: Canvas, random: np.random.Generator, wall: Wall, height: float, color: Color
) -> None:
    """Paint the front of a building: rows of windows, shops or doors at street level."""
    storey, bay = between(random, 2.8, 3.6), between(random, 1.8, 3.6)
    wide, tall = between(random, 0.35, 0.7), between(random, 0.42, 0.62)
    ground = between(random, 3.2, 4.2)
    shops, bands = happens(random, 0.45), happens(random, 0.4)
    front = build(canvas, wall, height, color, ID["building"])
    if front is None or not canvas.resolves(tall, min(z for _, _, z in front.points)):
        return
    # Mostly dark panes; some mirror the sky, a few have curtains.
    glass = [jitter(random, pane, 10) for pane in (*PANES, pick(random, CURTAINS))]
    accent = jitter(random, pick(random, SHOPFRONTS), 10)
    along, up = front.along, front.up
    column, row = np.floor(along / bay), np.floor((up - ground) / storey)
    across, above = along / bay - column, (up - ground) / storey - row
    inside = (column >= 0) & (column < int(wall.length / bay))
    upstairs = (row >= 0) & (row < int((height - ground) / storey)) & inside

    def opening(frame: float) -> tuple[np.ndarray, np.ndarray]:
        left, low = (1 - wide) / 2 + frame, (1 - tall) / 2 + frame
        return (across > left) & (across < 1 - left), (above > low) & (above < 1 - low)

    front.paint(up > height - 0.35, scaled(color, 0.8))
    if bands:
        front.paint((above < 0.07) & upstairs, scaled(color, 0.86))
    hole, pane = opening(0.0), opening(0.05)
    front.paint(hole[0] & hole[1] & upstairs, mix(color, (235, 232, 226), 0.6))
    front.paint_cells(pane[0] & pane[1] & upstairs, np.abs(5 * column + 3 * row), glass)
    if shops:
        front.paint((up > ground - 0.8) & (up < ground), accent)
        window = (up > 0.5) & (up < ground - 0.8) & ~stripes(along, 4.0, 0.5)
        front.paint(window, scaled(glass[0], 0.9))
    else:
        front.paint(up < 0.6, scaled(color, 0.78))
        door = (column % 4 == 1) & inside
        front.paint(door & (across > 0.3) & (across < 0.75) & (up < 2.3), scaled(accent, 0.6))
        front.paint(~door & inside & hole[0] & (up > 1.0) & (up < 2.4), glass[1])
