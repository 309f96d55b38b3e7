"""Bodies of straight edges: where one stands, its faces, and parts of a face."""

from collections.abc import Sequence
from dataclasses import dataclass

from eacnet.scenes.canvas import Canvas, Point
from eacnet.scenes.light import Color

AWAY, TOWARDS, RIGHT, LEFT = (0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0)

Face = Sequence[Point]


@dataclass(frozen=True)
class Place:
    """A spot on the ground (x, z in metres) and the unit vector in which a body there heads."""

    x: float
    z: float
    heading: tuple[float, float] = AWAY

    def at(self, ahead: float, right: float, up: float) -> Point:
        """Return the world point that lies so many metres ahead, to the right and up."""
        hx, hz = self.heading
        return (self.x + ahead * hx + right * hz, up, self.z + ahead * hz - right * hx)


def prism(
    place: Place,
    bottom: tuple[float, float, float, float],
    top: tuple[float, float, float, float],
    low: float,
    high: float,
) -> dict[str, Face]:
    """Return the faces of a body between two rectangles, corners anticlockwise from bottom left.

    Args:
        place: where its origin stands.
        bottom: its lower rectangle: rear, front, left, right in metres.
        top: its upper rectangle likewise.
        low: height of the lower rectangle in metres.
        high: height of the upper one.
    """
    rear, front, left, right = bottom
    rear_, front_, left_, right_ = top
    at = place.at
    base = at(rear, left, low), at(rear, right, low), at(front, right, low), at(front, left, low)
    lid = (
        at(rear_, left_, high),
        at(rear_, right_, high),
        at(front_, right_, high),
        at(front_, left_, high),
    )
    return {
        "top": lid,
        "rear": (base[0], base[1], lid[1], lid[0]),
        "right": (base[1], base[2], lid[2], lid[1]),
        "front": (base[2], base[3], lid[3], lid[2]),
        "left": (base[3], base[0], lid[0], lid[3]),
    }


def box(
    place: Place, rear: float, front: float, width: float, low: float, high: float
) -> dict[str, Face]:
    """Return the faces of an upright box that is centred across its heading."""
    sides = (rear, front, -width / 2, width / 2)
    return prism(place, sides, sides, low, high)


def part(face: Face, left: float, right: float, bottom: float, top: float) -> Face:
    """Return the part of a four-cornered face between those shares (0..1) of its sides."""
    return tuple(
        _between(_between(face[0], face[1], s), _between(face[3], face[2], s), t)
        for s, t in ((left, bottom), (right, bottom), (right, top), (left, top))
    )


def panel(
    canvas: Canvas, face: Face, area: tuple[float, float, float, float], color: Color, label: int
) -> None:
    """Paint the part of a face between those shares of its sides: left, right, bottom, top."""
    canvas.face(part(face, *area), color, label)


def paint_faces(canvas: Canvas, faces: dict[str, Face], color: Color, label: int) -> list[str]:
    """Paint a body's faces; return the names of those whose front is visible."""
    return [name for name, face in faces.items() if canvas.face(face, color, label) is not None]


def _between(first: Point, second: Point, share: float) -> Point:
    (x0, y0, z0), (x1, y1, z1) = first, second
    return (x0 + share * (x1 - x0), y0 + share * (y1 - y0), z0 + share * (z1 - z0))
