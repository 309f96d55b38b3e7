"""The street as a plan of the ground, the ground itself, and the sky above it."""

from dataclasses import dataclass

import numpy as np

from eacnet.scenes.canvas import SUPERSAMPLING, Canvas, Patch, Point
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.light import Color, mix, scaled

FAR = 700.0
LANE = 3.3
GRASS = ((92, 110, 58), (112, 118, 66), (128, 116, 84), (104, 98, 70), (84, 104, 52))


@dataclass(frozen=True)
class Street:
    """A straight street along z, seen from a lane at x = 0; all in metres.

    `left` and `right` are the kerbs, `fronts` the x of the building line on either side, `verges`
    the width of grass before it, `oncoming` the x of the oncoming lanes' middles. `parking` and
    `track` are x of the middle of a parking strip and of a tram track, where there is one.
    `crossing` is where a side street cuts through (first and last z), `zebra` where people cross.
    """

    left: float
    right: float
    fronts: tuple[float, float]
    verges: tuple[float, float]
    oncoming: tuple[float, ...]
    parking: tuple[float, ...]
    track: float | None
    grassy_track: bool
    crossing: tuple[float, float] | None
    zebra: float | None
    end: float


def draw_street(random: np.random.Generator) -> Street:
    """Draw the plan of a street."""
    oncoming = tuple(-LANE * (i + 1) for i in range(pick(random, (1, 1, 1, 2))))
    left, right = oncoming[-1] - LANE / 2, LANE / 2
    track, grassy = None, happens(random, 0.5)
    if happens(random, 0.5):
        left -= LANE
        track = left + LANE / 2
    parking = []
    if track is None and happens(random, 0.45):
        left -= 2.2
        parking.append(left + 1.1)
    if happens(random, 0.5):
        right += 2.2
        parking.append(right - 1.1)
    pavements = [between(random, 2.2, 4.2) for _ in range(2)]
    verges = tuple(between(random, 0.8, 3.0) if happens(random, 0.45) else 0.0 for _ in range(2))
    fronts = (left - pavements[0] - verges[0], right + pavements[1] + verges[1])
    crossing = None
    if happens(random, 0.35):
        near = between(random, 16, 45)
        crossing = (near, near + between(random, 6, 9))
    zebra = None
    if crossing is not None or happens(random, 0.25):
        zebra = crossing[0] - 4 if crossing else between(random, 9, 30)
    end = between(random, 60, 130)
    return Street(
        left, right, fronts, verges, oncoming, tuple(parking), track, grassy, crossing, zebra, end
    )


def paint_sky(canvas: Canvas) -> None:
    """Paint the sky down to the horizon: a gradient with clouds stretched along it."""
    light = canvas.light
    height = min(int(canvas.camera.horizon) // SUPERSAMPLING + 1, canvas.height // SUPERSAMPLING)
    width = canvas.width // SUPERSAMPLING
    _, medium, coarse, coarsest = canvas.grain[:, :height]
    third = np.arange(width) // 3
    billows = coarsest[:, third] + np.float32(0.45) * coarse[:, third]
    billows = billows + np.float32(0.2) * medium[:, third]
    cover = np.clip((billows + np.float32(2.0 * light.clouds - 0.9)) * np.float32(1.4), 0, 1)
    fall = (np.arange(height, dtype=np.float32) / np.float32(height))[:, None]
    sky = np.empty((height, width, 4), np.uint8)
    for channel in range(3):
        clear = light.zenith[channel] * (1 - fall) + light.horizon[channel] * fall
        sky[..., channel] = clear + cover * (light.cloud[channel] - clear)
    sky[..., 3] = ID["sky"]
    words = sky.view(np.uint32)[..., 0]
    words = words.repeat(SUPERSAMPLING, axis=0).repeat(SUPERSAMPLING, axis=1)
    everywhere = np.ones(words.shape, bool)
    canvas.paint_words(Patch(slice(0, len(words)), slice(0, canvas.width), everywhere), words)


def rectangle(x0: float, x1: float, z0: float, z1: float) -> tuple[Point, ...]:
    """Return the corners of a rectangle on the ground."""
    return ((x0, 0.0, z0), (x1, 0.0, z0), (x1, 0.0, z1), (x0, 0.0, z1))


def paint_ground(canvas: Canvas, random: np.random.Generator, street: Street) -> None:
    """Paint road, markings, pavement, verges and what else is flat, in the sun."""
    asphalt = jitter(random, pick(random, ((92, 92, 95), (78, 78, 82), (112, 108, 104))), 8)
    paving = jitter(random, pick(random, ((142, 138, 132), (122, 116, 112), (150, 132, 120))), 10)
    grass = jitter(random, pick(random, GRASS), 10)

    _lay(canvas, -FAR, FAR, 0.9, FAR, grass, "terrain")
    _lay(
        canvas,
        street.fronts[0] + street.verges[0],
        street.fronts[1] - street.verges[1],
        0.9,
        FAR,
        paving,
        "sidewalk",
    )
    _pave(canvas, random, street, paving)
    _lay(
        canvas,
        street.left - 0.18,
        street.right + 0.18,
        0.9,
        FAR,
        mix(paving, (190, 188, 184), 0.5),
        "sidewalk",
    )
    _lay(canvas, street.left, street.right, 0.9, FAR, asphalt, "road")
    for _ in range(int(random.integers(2, 9))):
        x, z = between(random, street.left, street.right - 1), between(random, 5, 40)
        shade = between(random, 0.82, 1.12)
        patch = (x, min(x + between(random, 0.4, 2.5), street.right))
        _lay(
            canvas,
            *patch,
            z,
            z + between(random, 0.6, 9),
            scaled(asphalt, shade),
            "road",
        )
    for x in street.parking:
        if happens(random, 0.5):
            color = mix(asphalt, paving, between(random, 0.2, 0.8))
            _lay(canvas, x - 1.1, x + 1.1, 0.9, FAR, color, pick(random, ("road", "parking")))
    if street.track is not None:
        _lay_track(canvas, random, street, asphalt, grass)
    if street.crossing is not None:
        _lay(canvas, -FAR, FAR, *street.crossing, asphalt, "road")
    _mark(canvas, random, street, mix(asphalt, (238, 236, 228), between(random, 0.5, 0.9)))


def _lay(
    canvas: Canvas, x0: float, x1: float, z0: float, z1: float, color: Color, label: str
) -> None:
    shaded = canvas.light.shaded(color, (0.0, 1.0, 0.0))
    # A long strip is cut where haze changes its colour.
    for near, far in ((z0, 25.0), (25.0, 60.0), (60.0, z1)):
        near, far = max(near, z0), min(far, z1)
        if near < far:
            canvas.flat(rectangle(x0, x1, near, far), shaded, ID[label])


def _pave(canvas: Canvas, random: np.random.Generator, street: Street, paving: Color) -> None:
    seam = mix(paving, (70, 68, 66), 0.3)
    step = between(random, 1.2, 2.4)
    for side, (inner, outer) in enumerate(
        ((street.left, street.fronts[0]), (street.right, street.fronts[1]))
    ):
        outer += street.verges[side] * (1 if side == 0 else -1)
        low, high = min(inner, outer), max(inner, outer)
        z = 3.0
        while z < 14:
            _lay(canvas, low, high, z, z + 0.05, seam, "sidewalk")
            z += step
        if happens(random, 0.5):
            middle = (low + high) / 2
            _lay(canvas, middle, middle + 0.05, 3, 40, seam, "sidewalk")


def _lay_track(
    canvas: Canvas, random: np.random.Generator, street: Street, asphalt: Color, grass: Color
) -> None:
    x = street.track
    if street.grassy_track:
        bed = pick(random, (grass, (118, 108, 98)))
        _lay(canvas, x - 1.65, x + 1.65, 0.9, FAR, bed, "rail track")
    for rail in (-0.75, 0.75):
        label = "rail track" if street.grassy_track else "road"
        _lay(
            canvas,
            x + rail - 0.05,
            x + rail + 0.05,
            0.9,
            90,
            mix(asphalt, (40, 38, 38), 0.6),
            label,
        )


def _mark(canvas: Canvas, random: np.random.Generator, street: Street, paint: Color) -> None:
    middle = -LANE / 2
    lines = [middle, *(x - LANE / 2 for x in street.oncoming[:-1])]
    if street.track is not None and not street.grassy_track:
        lines.append(street.track + LANE / 2)
    solid = happens(random, 0.3)
    start, dash, gap = between(random, 1, 6), between(random, 2.5, 4), between(random, 3, 6)
    spared = [(street.zebra - 1, street.zebra + 5)] if street.zebra is not None else []
    spared += [(street.crossing[0] - 0.5, street.crossing[1] + 0.5)] if street.crossing else []
    for x in lines:
        z = 0.9 if solid and x == middle else start
        while z < 110:
            length = 1.5 if solid and x == middle else dash
            if all(z + length < low or z > high for low, high in spared):
                _lay(canvas, x - 0.07, x + 0.07, z, z + length, paint, "road")
            z += length if solid and x == middle else dash + gap
    for x in street.parking:
        edge = x - 1.1 if x > 0 else x + 1.1
        if happens(random, 0.6):
            _lay(canvas, edge - 0.06, edge + 0.06, 2, 90, paint, "road")
    if street.zebra is not None:
        x = street.left + 0.3
        while x < street.right - 0.5:
            _lay(canvas, x, x + 0.5, street.zebra, street.zebra + 3.0, paint, "road")
            x += 1.0
    elif happens(random, 0.25):
        z = between(random, 6, 16)
        _lay(canvas, -0.09, 0.09, z, z + 2.2, paint, "road")
        _lay(canvas, -0.35, 0.35, z + 2.2, z + 2.6, paint, "road")
        _lay(canvas, -0.18, 0.18, z + 2.6, z + 3.0, paint, "road")
