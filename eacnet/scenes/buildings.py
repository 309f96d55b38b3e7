"""What lines a street: buildings, walls, fences and parks, and what closes it in the distance."""

import numpy as np

from eacnet.scenes.canvas import Canvas
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.light import mix, scaled
from eacnet.scenes.plants import LEAVES, draw_hedge, draw_leaves, draw_tree
from eacnet.scenes.solids import Place
from eacnet.scenes.walls import (
    MASONRY,
    Surface,
    build,
    build_facade,
    stripes,
    wall_across,
    wall_along,
)

ROOFS = ((112, 66, 56), (78, 76, 80), (96, 84, 76), (128, 82, 66))
RAILINGS = (
    (60, 64, 66),
    (150, 152, 150),
    (126, 98, 72),
    (206, 204, 198),
    (52, 78, 62),
    (104, 84, 66),
)
GRAFFITI = ((180, 60, 60), (60, 90, 160), (220, 220, 215), (60, 60, 64))
DEPTH = 12.0


def draw_building(
    canvas: Canvas, random: np.random.Generator, side: int, x: float, start: float, end: float
) -> None:
    """Paint a building whose front stands at `x` from z = `start` to `end`."""
    height = pick(random, (6.0, 9.0, 12.0, 15.0, 18.0)) + between(random, -1.5, 2.5)
    color = jitter(random, pick(random, MASONRY), 12)
    front = wall_along(side, x, start, end)
    if happens(random, 0.5):
        roof, ridge = jitter(random, pick(random, ROOFS), 10), height + between(random, 2, 4)
        eaves = front.corners(height, height)[:2]
        top = [(px + side * DEPTH / 2, ridge, pz) for px, _, pz in reversed(eaves)]
        canvas.face((*eaves, *top), roof, ID["building"])
    gable = wall_across(min(x, x + side * DEPTH), start, DEPTH)
    if happens(random, 0.7):
        build(canvas, gable, height, scaled(color, 0.95), ID["building"])
    else:
        build_facade(canvas, random, gable, height, color)
    build_facade(canvas, random, front, height, color)


def draw_wall(
    canvas: Canvas, random: np.random.Generator, side: int, x: float, start: float, end: float
) -> None:
    """Paint a free-standing wall with a coping, courses, pillars or graffiti."""
    height = between(random, 1.3, 3.4)
    color = jitter(random, pick(random, MASONRY), 12)
    build(canvas, wall_across(min(x, x + side * 0.4), start, 0.4), height, color, ID["wall"])
    front = build(canvas, wall_along(side, x, start, end), height, color, ID["wall"])
    if front is None:
        return
    along, up = front.along, front.up
    if happens(random, 0.6):
        front.paint(stripes(up, 0.4, 0.06), scaled(color, 0.85))
    if happens(random, 0.5):
        pillars = np.broadcast_to(stripes(along, between(random, 2.5, 5), 0.4), up.shape)
        front.paint(pillars, scaled(color, 1.12))
    for _ in range(int(random.integers(0, 4))):
        left, low = between(random, 0, end - start), between(random, 0.2, 0.9)
        right, high = left + between(random, 0.6, 2.5), low + between(random, 0.3, 0.8)
        tag = (along > left) & (along < right) & (up > low) & (up < high)
        front.paint(tag, jitter(random, pick(random, GRAFFITI), 20))
    front.paint(up > height - 0.14, mix(color, (200, 198, 192), 0.5))


def draw_fence(
    canvas: Canvas, random: np.random.Generator, side: int, x: float, start: float, end: float
) -> None:
    """Paint a fence: upright bars, boards, wire mesh, or posts with rails.

    As in Cityscapes, the gaps of a close fence count as fence; those between rails do not.
    """
    kind = pick(random, ("bars", "bars", "boards", "mesh", "rails"))
    height = between(random, 1.0, 1.5) if kind == "rails" else between(random, 1.2, 2.3)
    color = jitter(random, pick(random, RAILINGS), 12)
    wall = wall_along(side, x, start, end)
    points = wall.corners(0.05, height)
    patch = canvas.patch(points, facing=True)
    if patch is None:
        return
    front = Surface(canvas, wall, points, patch, ID["fence"])
    along, up = front.along, front.up
    if kind != "rails":
        canvas.relabel(patch, ID["fence"])
    if kind == "bars":
        rails = (up > height - 0.1) | ((up > 0.2) & (up < 0.3))
        front.paint(stripes(along, 0.22, 0.06) | rails, color)
    elif kind == "boards":
        front.paint(~stripes(along, 0.3, 0.03), color)
    elif kind == "mesh":
        wires = stripes(along, 2.4, 0.09) | stripes(along, 0.12, 0.03)
        front.paint(wires | (up > height - 0.07), color)
    else:
        front.paint(stripes(along, 1.8, 0.14) | stripes(up, 0.42, 0.12), color)


def draw_park(
    canvas: Canvas, random: np.random.Generator, side: int, x: float, start: float, end: float
) -> None:
    """Paint trees and perhaps a hedge behind the building line."""
    trees = [
        (between(random, start, end), x + side * between(random, 1.5, 12))
        for _ in range(int((end - start) / 7) + 1)
    ]
    for z, where in sorted(trees, reverse=True):
        draw_tree(canvas, random, Place(where, z), between(random, 4, 10))
    if happens(random, 0.35):
        draw_hedge(canvas, random, x + side * 0.8, start, end, between(random, 0.8, 1.8))


def draw_distance(canvas: Canvas, random: np.random.Generator, end: float) -> None:
    """Close the street at z = `end` and beyond with rows of houses and trees."""
    for z in (1.6 * end, end):
        x = -0.4 * z - between(random, 0, 20)
        while x < 0.4 * z:
            width = between(random, 10, 26)
            if happens(random, 0.5):
                color = jitter(random, pick(random, MASONRY), 12)
                height = between(random, 6, 16)
                build_facade(canvas, random, wall_across(x, z, width), height, color)
            else:
                color, tall = jitter(random, pick(random, LEAVES), 10), between(random, 3, 7)
                for share in (0.25, 0.75):
                    centre = (x + share * width, 0.7 * tall, z)
                    draw_leaves(canvas, random, centre, (0.45 * width, tall), color)
            x += width
