"""One street scene, from the seed to the photograph."""

from collections.abc import Sequence

import numpy as np

from eacnet.datasets.cityscapes import instance_ids
from eacnet.errors import InputError
from eacnet.scenes.buildings import draw_building, draw_distance, draw_wall
from eacnet.scenes.canvas import SUPERSAMPLING, Camera, Canvas, Patch, Point
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.layout import draw_lots, draw_things
from eacnet.scenes.light import develop, draw_grain, draw_light, scaled
from eacnet.scenes.street import draw_street, paint_ground, paint_sky
from eacnet.scenes.things import SIZES, Lot, Thing, painting_order
from eacnet.scenes.vehicles import PAINT

SMALLEST, LARGEST = (64, 128), (1024, 2048)
# The bonnet's outline, as shares of half the width and of its height.
BONNET = (
    (-1.05, 0.0),
    (-0.95, 0.55),
    (-0.7, 0.85),
    (-0.35, 1.0),
    (0.35, 1.0),
    (0.7, 0.85),
    (0.95, 0.55),
    (1.05, 0.0),
)


def draw_scene(height: int, width: int, seed: int | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Draw a street scene as `draw_annotated_scene` does; return its image and label ids alone."""
    return draw_annotated_scene(height, width, seed)[:2]


def draw_annotated_scene(
    height: int, width: int, seed: int | Sequence[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a street scene: the same size and seed give the same pixels on every machine.

    Args:
        height: rows of the image, 64 to 1024.
        width: columns of the image, 128 to 2048.
        seed: one or several natural numbers.

    Returns:
        The image, uint8 (H,W,3) RGB; its label ids, uint8 (H,W), and instance ids, uint16 (H,W),
        as in `eacnet.datasets.cityscapes`. What was painted as one thing is one instance, however
        many parts of it are seen; a cyclist is two, a rider and a bicycle.

    Raises:
        InputError: the size is out of range.
    """
    if not (SMALLEST[0] <= height <= LARGEST[0] and SMALLEST[1] <= width <= LARGEST[1]):
        raise InputError(
            f"synthetic scenes can't be {height}x{width}; choose a size (height x width) from "
            f"{SMALLEST[0]}x{SMALLEST[1]} to {LARGEST[0]}x{LARGEST[1]}"
        )
    random = np.random.default_rng(seed)
    street = draw_street(random)
    lots, things = draw_lots(random, street), draw_things(random, street)
    canvas = _set_up(random, height, width)
    paint_sky(canvas)
    paint_ground(canvas, random, street)
    _paint_shadows(canvas, lots, things)
    draw_distance(canvas, random, street.end)
    for canvas.owner, item in enumerate(painting_order(street, lots, things), start=1):
        item.paint(canvas, random)
    if happens(random, 0.6):
        _paint_bonnet(canvas, random)
    return _photograph(canvas, random)


def _set_up(random: np.random.Generator, height: int, width: int) -> Canvas:
    camera = Camera(
        focal=SUPERSAMPLING * width * between(random, 0.85, 1.15),
        column=SUPERSAMPLING * width * between(random, 0.38, 0.62),
        horizon=SUPERSAMPLING * height * between(random, 0.38, 0.48),
        height=between(random, 1.25, 1.9),
    )
    return Canvas(height, width, camera, draw_light(random), draw_grain(random, height, width))


def _paint_shadows(canvas: Canvas, lots: list[Lot], things: list[Thing]) -> None:
    """Darken the ground where the sun does not reach, once however many shadows overlap."""
    light = canvas.light
    if light.direct < 0.3:
        return
    across, along = -light.sun[0] / light.sun[1], -light.sun[2] / light.sun[1]
    dark = np.zeros((canvas.height, canvas.width), bool)

    def cast(base: list[Point], tall: float) -> None:
        # What lies between the base and its shadow at the top; the base itself is built upon.
        tip = [(x + tall * across, 0.0, z + tall * along) for x, _, z in base]
        sides = [(base[i - 1], base[i], tip[i], tip[i - 1]) for i in range(1, len(base))]
        for outline in (tip, *sides):
            patch = canvas.patch(outline)
            if patch is not None:
                dark[patch.rows, patch.cols] |= patch.mask

    for lot in lots:
        if lot.side * light.sun[0] > 0 and lot.draw in (draw_building, draw_wall):
            tall = 9.0 if lot.draw is draw_building else 2.2
            cast([(lot.x, 0.0, lot.start), (lot.x, 0.0, lot.end)], tall)
    for thing in things:
        if thing.place.z > 30:
            continue
        length, width, tall = SIZES[thing.draw]
        at, a, b = thing.place.at, length / 2, width / 2
        if length < 0.5:
            cast([at(0.0, -b, 0.0), at(0.0, b, 0.0)], tall)
        else:
            ring = ((-a, -b), (-a, b), (a, b), (a, -b), (-a, -b))
            cast([at(*corner, 0.0) for corner in ring], tall)
    everywhere = slice(0, canvas.height), slice(0, canvas.width)
    canvas.darken(Patch(*everywhere, dark), light.shadow)


def _paint_bonnet(canvas: Canvas, random: np.random.Generator) -> None:
    """Paint the bonnet of the car that carries the camera."""
    color = scaled(jitter(random, pick(random, PAINT), 10), canvas.light.ambient)
    half, rise = canvas.width / 2, canvas.height * between(random, 0.05, 0.1)
    for share, tone in ((1.0, 0.75), (0.8, 0.95), (0.55, 1.05)):
        outline = [
            (int(half * (1 + across)), int(canvas.height - rise * share * up))
            for across, up in BONNET
        ]
        canvas.paint(canvas.outline(outline), scaled(color, tone), ID["ego vehicle"])


def _photograph(
    canvas: Canvas, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    step = SUPERSAMPLING
    total = sum(
        canvas.pixels[row::step, col::step, :3].astype(np.uint16)
        for row in range(step)
        for col in range(step)
    )
    labels = canvas.pixels[::step, ::step, 3].copy()
    instances = instance_ids(labels, canvas.owners[::step, ::step])
    return develop(random, total // step**2, labels, canvas.grain), labels, instances
