"""Street furniture: lamp posts, traffic lights, signs, bins and other things that stand about."""

from collections.abc import Sequence

import numpy as np

from eacnet.scenes.canvas import CIRCLE, Canvas, Point
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.light import Color, scaled
from eacnet.scenes.solids import Place, box, paint_faces, part

POLE, SIGN = ID["pole"], ID["traffic sign"]
METAL = ((120, 122, 122), (92, 94, 96), (66, 70, 72), (148, 148, 146), (70, 88, 78))
SQUARE = ((1, 1), (-1, 1), (-1, -1), (1, -1))
TRIANGLE = ((1.0, -0.6), (0.0, 1.1), (-1.0, -0.6))
DIAMOND = ((1, 0), (0, 1), (-1, 0), (0, -1))
OCTAGON = CIRCLE[1::2]
RED, BLUE, GREEN = (186, 36, 40), (36, 76, 150), (36, 110, 76)
WHITE, YELLOW, BLACK = (232, 232, 228), (228, 190, 50), (46, 46, 50)
# Outline, rim, field, symbol.
SIGNS = (
    (CIRCLE, RED, WHITE, BLACK),
    (CIRCLE, RED, WHITE, BLACK),
    (CIRCLE, RED, RED, WHITE),
    (CIRCLE, RED, BLUE, RED),
    (CIRCLE, WHITE, BLUE, WHITE),
    (TRIANGLE, RED, WHITE, BLACK),
    (SQUARE, WHITE, BLUE, WHITE),
    (DIAMOND, WHITE, YELLOW, YELLOW),
    (OCTAGON, WHITE, RED, WHITE),
)
LAMPS = ((244, 60, 44), (250, 180, 50), (70, 230, 150))


def draw_lamp_post(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint a lamp post whose arm reaches over the street, or a plain post."""
    color = _metal(canvas, random)
    x, z = place.x, place.z
    height, thick = between(random, 5.0, 8.5), between(random, 0.13, 0.2)
    canvas.limb((x, 0, z), (x, height, z), color, POLE, (thick * 1.3, thick * 0.8))
    if happens(random, 0.7):
        reach = -1.8 if x > 0 else 1.8
        canvas.limb((x, height, z), (x + reach, height + 0.3, z), color, POLE, (0.1, 0.08))
        start, end = (x + 0.8 * reach, height + 0.22, z), (x + 1.2 * reach, height + 0.3, z)
        canvas.limb(start, end, scaled(color, 0.8), POLE, (0.2, 0.14))


def draw_bollard(canvas: Canvas, random: np.random.Generator, place: Place, color: Color) -> None:
    """Paint one of a row of bollards."""
    light = canvas.light
    lit = scaled(jitter(random, color, 4), light.ambient + 0.4 * light.direct)
    x, z = place.x, place.z
    canvas.limb((x, 0, z), (x, 0.95, z), lit, POLE, (0.14, 0.12))


def draw_sign(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint one or two traffic signs on a post."""
    x, z = place.x, place.z
    height = between(random, 2.3, 3.0)
    canvas.limb((x, 0, z), (x, height + 0.3, z), _metal(canvas, random), POLE, (0.1, 0.1))
    for level in range(pick(random, (1, 1, 2))):
        outline, rim, field, symbol = pick(random, SIGNS)
        y, size = height - 0.9 * level, between(random, 0.32, 0.48)
        wide, tall = pick(random, ((0.5, 0.14), (0.14, 0.4), (0.3, 0.3), (0.42, 0.1)))
        fade = between(random, 0.8, 1.05)
        for corners, across, up, paint in (
            (outline, 1.0, 1.0, rim),
            (outline, 0.74, 0.74, field),
            (SQUARE, wide, tall, symbol),
        ):
            points = [(x + across * size * c, y + up * size * s, z - 0.05) for c, s in corners]
            _plate(canvas, points, scaled(paint, fade))


def draw_board(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint a large board with directions on two posts."""
    x, z, metal = place.x, place.z, _metal(canvas, random)
    wide, tall, low = (
        between(random, 1.4, 2.6),
        between(random, 0.7, 1.4),
        between(random, 2.2, 3.0),
    )
    for post in (x - 0.35 * wide, x + 0.35 * wide):
        canvas.limb((post, 0, z), (post, low + tall, z), metal, POLE, (0.1, 0.1))
    field = pick(random, (BLUE, YELLOW, WHITE, GREEN))
    ink = BLACK if field in (YELLOW, WHITE) else WHITE
    board = _upright(x, wide / 2, low, low + tall, z)
    _plate(canvas, board, ink)
    _plate(canvas, part(board, 0.03, 0.97, 0.05, 0.95), field)
    for row in (0.2, 0.6):
        _plate(canvas, part(board, 0.1, between(random, 0.5, 0.9), row, row + 0.18), ink)


def draw_traffic_light(canvas: Canvas, random: np.random.Generator, place: Place, lit: int) -> None:
    """Paint a traffic light, perhaps with a second one on an arm over the lane.

    `lit` is 0 for red, 1 for amber, 2 for green.
    """
    x, z, color = place.x, place.z, _metal(canvas, random)
    height = between(random, 2.5, 2.9)
    if happens(random, 0.5):
        top, reach = between(random, 5.0, 5.8), -x * between(random, 0.55, 0.85)
        canvas.limb((x, 0, z), (x, top, z), color, POLE, (0.2, 0.16))
        canvas.limb((x, top, z), (x + reach, top, z), color, POLE, (0.13, 0.1))
        _signal(canvas, x + reach, top - 0.55, z, lit)
    else:
        canvas.limb((x, 0, z), (x, height, z), color, POLE, (0.14, 0.12))
    _signal(canvas, x, height, z, lit)


def draw_clutter(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint what is not trained on: a bin, a box, an advertising pillar, a pram."""
    name, length, width, height = pick(
        random,
        (
            ("static", 0.6, 0.6, 1.1),
            ("static", 1.2, 1.2, 2.8),
            ("static", 0.5, 1.6, 0.9),
            ("dynamic", 0.9, 0.5, 0.9),
            ("unlabeled", 0.7, 0.7, 1.5),
        ),
    )
    color = jitter(random, pick(random, (*METAL, BLUE, YELLOW, GREEN, (70, 64, 60))), 14)
    body = box(place, -length / 2, length / 2, width, 0.0, height)
    paint_faces(canvas, body, color, ID[name])
    canvas.face(part(body["rear"], 0.15, 0.85, 0.5, 0.85), jitter(random, color, 50), ID[name])


def _signal(canvas: Canvas, x: float, low: float, z: float, lit: int) -> None:
    label, tall, front = ID["traffic light"], 1.1, z - 0.15
    canvas.flat(_upright(x, 0.2, low, low + tall, front), (34, 38, 38), label)
    for index, color in enumerate(LAMPS):
        lamp = color if index == lit else (44, 44, 44)
        canvas.disc((x, low + tall * (0.82 - 0.32 * index), front), 0.14, lamp, label)


def _plate(canvas: Canvas, points: Sequence[Point], color: Color) -> None:
    # Signs throw light back: they are brighter than the sun alone would make them.
    light = canvas.light
    tone = light.shaded(color, (0.0, 0.0, -1.0))
    canvas.flat(points, scaled(tone, 1.2 - 0.4 * light.ambient), SIGN)


def _upright(x: float, half: float, low: float, high: float, z: float) -> tuple[Point, ...]:
    return ((x - half, low, z), (x + half, low, z), (x + half, high, z), (x - half, high, z))


def _metal(canvas: Canvas, random: np.random.Generator) -> Color:
    light = canvas.light
    return scaled(jitter(random, pick(random, METAL), 10), light.ambient + 0.4 * light.direct)
