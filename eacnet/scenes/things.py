"""What may stand in a street: how large it is, and in which order it is painted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eacnet.scenes.canvas import NEAR, Canvas
from eacnet.scenes.furniture import (
    draw_board,
    draw_bollard,
    draw_clutter,
    draw_lamp_post,
    draw_sign,
    draw_traffic_light,
)
from eacnet.scenes.people import draw_bicycle, draw_motorcycle, draw_person
from eacnet.scenes.plants import draw_tree
from eacnet.scenes.solids import Place
from eacnet.scenes.street import FAR, LANE, Street
from eacnet.scenes.vehicles import draw_bus, draw_car, draw_tram, draw_truck

Draw = Callable[..., None]

# Length, width, height in metres: for the order of painting, and for shadows.
SIZES: dict[Draw, tuple[float, float, float]] = {
    draw_car: (4.6, 1.8, 1.4),
    draw_bus: (11.5, 2.5, 3.0),
    draw_truck: (9.0, 2.4, 3.2),
    draw_tram: (25.0, 2.45, 3.4),
    draw_person: (0.3, 0.4, 1.7),
    draw_bicycle: (1.7, 0.3, 1.1),
    draw_motorcycle: (2.0, 0.5, 1.0),
    draw_tree: (1.0, 1.0, 6.0),
    draw_lamp_post: (0.15, 0.15, 6.5),
    draw_bollard: (0.15, 0.15, 0.9),
    draw_sign: (0.1, 0.5, 2.6),
    draw_board: (0.1, 1.8, 3.4),
    draw_traffic_light: (0.2, 0.3, 3.4),
    draw_clutter: (0.8, 0.8, 1.3),
}


@dataclass(frozen=True)
class Lot:
    """A stretch of the building line: what stands there, on which side (-1 left), at which x."""

    draw: Draw
    side: int
    x: float
    start: float
    end: float

    def paint(self, canvas: Canvas, random: np.random.Generator) -> None:
        """Paint it."""
        self.draw(canvas, random, self.side, self.x, self.start, self.end)


@dataclass(frozen=True)
class Thing:
    """Something that stands in the street: how it is painted, where, and with what else.

    `crosses` tells that it comes out of the side street and spans several lanes.
    """

    draw: Draw
    place: Place
    arguments: tuple = ()
    crosses: bool = False

    @property
    def nearest(self) -> float:
        """The z of its nearest point."""
        length, width, _ = SIZES[self.draw]
        across, along = self.place.heading
        return self.place.z - (abs(along) * length + abs(across) * width) / 2

    def paint(self, canvas: Canvas, random: np.random.Generator) -> None:
        """Paint it, unless it is out of view."""
        margin, camera = SIZES[self.draw][0] + 4.0, canvas.camera
        left, _ = camera.project((self.place.x - margin, 0.0, self.place.z))
        right, _ = camera.project((self.place.x + margin, 0.0, self.place.z))
        if self.nearest > 1.5 * NEAR and right > 0 and left < canvas.width:
            self.draw(canvas, random, self.place, *self.arguments)


def painting_order(street: Street, lots: list[Lot], things: list[Thing]) -> list[Lot | Thing]:
    """Return everything in the order of painting, so that what is in front comes later.

    What stands further out never hides what stands further in, however near it is: no ray from the
    camera passes it on its way. So lanes are painted from the outermost to that of the camera, and
    each from far to near. What comes out of a side street lies between all that is beyond it and
    all that is not.
    """

    def lane(thing: Thing) -> int:
        outside = not street.left < thing.place.x < street.right
        return 9 if outside else int(abs(thing.place.x) / LANE + 0.5)

    lots = sorted(lots, key=lambda lot: (-lot.start, -abs(lot.x)))
    things = sorted(things, key=lambda thing: (-lane(thing), -thing.nearest))
    crossing = [thing for thing in things if thing.crosses]
    limit = crossing[0].nearest if crossing else -FAR
    return [
        *(lot for lot in lots if lot.start > limit),
        *(thing for thing in things if thing.nearest > limit),
        *crossing,
        *(lot for lot in lots if lot.start <= limit),
        *(thing for thing in things if thing.nearest <= limit and not thing.crosses),
    ]
