"""What stands in a street, and where: drawn lots for every scene."""

import numpy as np

from eacnet.scenes.buildings import draw_building, draw_fence, draw_park, draw_wall
from eacnet.scenes.chance import between, happens, pick
from eacnet.scenes.furniture import (
    METAL,
    draw_board,
    draw_bollard,
    draw_clutter,
    draw_lamp_post,
    draw_sign,
    draw_traffic_light,
)
from eacnet.scenes.people import draw_bicycle, draw_motorcycle, draw_person
from eacnet.scenes.plants import draw_tree
from eacnet.scenes.solids import AWAY, LEFT, RIGHT, TOWARDS, Place
from eacnet.scenes.street import LANE, Street
from eacnet.scenes.things import SIZES, Draw, Lot, Thing
from eacnet.scenes.vehicles import draw_bus, draw_car, draw_tram, draw_truck

LOTS = (draw_building,) * 4 + (draw_wall, draw_fence, draw_fence, draw_park)
# In percent of all that drives; the rest are cars.
TRAFFIC = ((draw_bus, 8), (draw_truck, 9), (draw_motorcycle, 12), (draw_bicycle, 14))


def draw_lots(random: np.random.Generator, street: Street) -> list[Lot]:
    """Draw what lines the street."""
    lots = []
    for side, x in zip((-1, 1), street.fronts, strict=True):
        z = between(random, -6, 2)
        while z < street.end:
            draw = pick(random, LOTS)
            end = z + between(random, 9, 22)
            if street.crossing is not None and z < street.crossing[1] and end > street.crossing[0]:
                if z > street.crossing[0] - 3:
                    z = street.crossing[1]
                    continue
                end = street.crossing[0]
            lots.append(Lot(draw, side, x, z, end))
            if draw is not draw_building:
                behind = pick(random, (draw_building, draw_park))
                lots.append(Lot(behind, side, x + side * between(random, 4, 12), z, end))
            z = end
    return lots


def draw_things(random: np.random.Generator, street: Street) -> list[Thing]:
    """Draw all that stands in the street."""
    traffic = _traffic(random, street)
    others = [
        *_parked(random, street),
        *_people(random, street),
        *_furniture(random, street),
    ]
    if street.crossing is None:
        return [*traffic, *others]
    others = [thing for thing in others if not _overlap(thing, *street.crossing)]
    draw, arguments = _road_user(random)
    z = (street.crossing[0] + street.crossing[1]) / 2
    place = Place(between(random, -12, 12), z, pick(random, (LEFT, RIGHT)))
    thing = Thing(draw, place, arguments, crosses=True)
    if happens(random, 0.7) and not any(_overlap(x, z - 2, z + 2) for x in traffic):
        traffic.append(thing)
    return [*traffic, *others]


def _overlap(thing: Thing, near: float, far: float) -> bool:
    return thing.nearest < far and 2 * thing.place.z - thing.nearest > near


def _road_user(random: np.random.Generator) -> tuple[Draw, tuple]:
    dice = int(random.integers(100))
    for draw, share in TRAFFIC:
        if dice < share:
            # What has two wheels has a rider.
            return draw, (True,) if draw in (draw_motorcycle, draw_bicycle) else ()
        dice -= share
    return draw_car, ()


def _traffic(random: np.random.Generator, street: Street) -> list[Thing]:
    things = []
    for lane, heading in ((0.0, AWAY), *((x, TOWARDS) for x in street.oncoming)):
        z = between(random, 10, 28) if lane == 0.0 else between(random, 7, 24)
        while z < 75:
            draw, arguments = _road_user(random)
            length = SIZES[draw][0]
            x = lane + between(random, -0.3, 0.3)
            if arguments:
                # Cyclists keep to the edge of their lane.
                x += between(random, 0.3, 1.2) * heading[1]
            things.append(Thing(draw, Place(x, z + length / 2, heading), arguments))
            z += length + between(random, 6, 35)
    if street.track is not None and happens(random, 0.9):
        z = between(random, 20, 42)
        things.append(Thing(draw_tram, Place(street.track, z, pick(random, (AWAY, TOWARDS)))))
    return things


def _parked(random: np.random.Generator, street: Street) -> list[Thing]:
    things = []
    for strip in street.parking:
        z = between(random, 4, 14)
        while z < 60:
            x = strip + between(random, -0.1, 0.1)
            draw = pick(random, (draw_car,) * 12 + (draw_truck,) + (draw_motorcycle,) * 3)
            if draw is draw_motorcycle:
                for _ in range(int(random.integers(1, 4))):
                    things.append(Thing(draw, Place(x, z, pick(random, (LEFT, RIGHT)))))
                    z += 1.2
            else:
                heading = AWAY if strip > 0 or happens(random, 0.3) else TOWARDS
                length = SIZES[draw][0]
                things.append(Thing(draw, Place(x, z + length / 2, heading)))
                z += length
            z += between(random, 4, 16) if happens(random, 0.35) else between(random, 0.6, 1.6)
    return things


def _people(random: np.random.Generator, street: Street) -> list[Thing]:
    things = []
    kerbs = (street.left, street.right)
    for side, kerb, front in zip((-1, 1), kerbs, street.fronts, strict=True):
        for _ in range(int(random.integers(1, 6))):
            x = kerb + (front - kerb) * between(random, 0.4, 0.85)
            z = between(random, 6, 40)
            heading = pick(random, (AWAY, TOWARDS, AWAY, TOWARDS, LEFT, RIGHT))
            for index in range(pick(random, (1, 1, 2))):
                # Two who walk together; the second on the side of the road.
                beside = x - side * 0.7 * index
                things.append(Thing(draw_person, Place(beside, z, heading)))
        if happens(random, 0.55):
            x = pick(random, (kerb + side * 0.9, front - side * 0.9))
            z = between(random, 6, 20)
            heading = pick(random, (AWAY, LEFT, RIGHT, (0.8, 0.6), (-0.6, 0.8)))
            for index in range(int(random.integers(1, 5))):
                things.append(Thing(draw_bicycle, Place(x, z + 0.8 * index, heading)))
    if street.zebra is not None:
        for _ in range(int(random.integers(0, 5))):
            # Off the tram track: there may be a tram.
            x = between(random, street.oncoming[-1] - LANE / 2 + 0.3, street.right)
            z = street.zebra + between(random, 0.3, 2.7)
            things.append(Thing(draw_person, Place(x, z, pick(random, (LEFT, RIGHT)))))
    return things


def _furniture(random: np.random.Generator, street: Street) -> list[Thing]:
    things = []
    for kerb, side in ((street.left, -1), (street.right, 1)):
        x = kerb + side * 0.5
        row = pick(random, (draw_lamp_post, draw_lamp_post, draw_tree))
        z, step, tall = between(random, 6, 16), between(random, 11, 24), between(random, 4.5, 8)
        while z < street.end:
            things.append(Thing(row, Place(x, z), (tall,) if row is draw_tree else ()))
            z += step
        for draw, most in (
            (draw_sign, 3),
            (draw_clutter, 1),
            (draw_tree, 1),
        ):
            for _ in range(int(random.integers(0, most, endpoint=True))):
                place = Place(x + side * between(random, 0.0, 0.4), between(random, 7, 40))
                things.append(Thing(draw, place, (tall,) if draw is draw_tree else ()))
        if happens(random, 0.4):
            z, step, color = between(random, 7, 40), between(random, 1.4, 2.2), pick(random, METAL)
            for index in range(int(random.integers(3, 7))):
                things.append(Thing(draw_bollard, Place(x, z + index * step), (color,)))
        if happens(random, 0.2):
            things.append(Thing(draw_board, Place(kerb + side * 1.1, between(random, 10, 40))))
    if street.zebra is not None or happens(random, 0.4):
        z = between(random, 10, 24) if street.zebra is None else street.zebra + 3.5
        lit = int(random.integers(3))
        for x in (street.left - 0.4, street.right + 0.4):
            things.append(Thing(draw_traffic_light, Place(x, z), (lit,)))
    return things
