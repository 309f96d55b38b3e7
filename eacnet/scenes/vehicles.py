"""Cars, trucks, buses and trams: a few bodies each, with windows, lights and wheels on them."""

import numpy as np

from eacnet.scenes.canvas import CIRCLE, Canvas
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.light import Color, scaled
from eacnet.scenes.solids import Face, Place, box, paint_faces, panel, prism

GLASS, TYRE, HUB = (48, 56, 66), (30, 30, 32), (130, 132, 134)
TAIL, HEAD = (176, 28, 30), (236, 232, 214)
PLATE, BUMPER, DISPLAY, GREY = (226, 226, 216), (54, 54, 56), (34, 32, 30), (56, 56, 59)
SIDES = ("left", "right")
# All vehicles share them, so colour does not tell which.
PAINT = (
    (226, 226, 224),
    (196, 198, 200),
    (150, 152, 156),
    (96, 98, 102),
    (44, 46, 50),
    (32, 34, 40),
    (40, 58, 104),
    (66, 96, 146),
    (150, 32, 36),
    (196, 54, 44),
    (46, 84, 66),
    (222, 184, 56),
    (118, 88, 66),
)
# Length and height of a car, how far its cabin stands back from the tail and from the nose.
HATCHBACK, SALOON, ESTATE, VAN = (
    (4.0, 1.5, 0.15, 1.1),
    (4.5, 1.45, 0.75, 1.2),
    (4.6, 1.55, 0.1, 1.2),
    (4.8, 1.95, 0.05, 0.7),
)


def draw_car(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint a hatchback, saloon, estate or van."""
    label, color = ID["car"], _paint(random)
    length, height, tail, nose = pick(random, (HATCHBACK, SALOON, ESTATE, VAN))
    half, side = length / 2, between(random, 0.86, 0.93)
    belt, axles = 0.56 * height, (0.62 * half, -0.62 * half)
    _shade_below(canvas, place, length, 2 * side)
    for axle in axles:
        tyres = box(place, axle - 0.28, axle + 0.28, 2 * side - 0.06, 0.0, 0.4)
        paint_faces(canvas, tyres, TYRE, label)
    widest = (-half, half, -side, side)
    body = prism(place, widest, (0.06 - half, half - 0.12, 0.06 - side, side - 0.06), 0.24, belt)
    seen = paint_faces(canvas, body, color, label)
    _paint_ends(canvas, body, seen, label)
    if canvas.resolves(0.1, place.z):
        for name in [name for name in SIDES if name in seen]:
            panel(canvas, body[name], (0.02, 0.98, 0.0, 0.12), scaled(color, 0.45), label)
            for seam in (0.38, 0.62):
                area = (seam, seam + 0.006, 0.15, 1.0)
                panel(canvas, body[name], area, scaled(color, 0.6), label)
    _paint_wheels(canvas, place, seen, axles, 2 * side, 0.32, label)

    sill = (tail - half, half - nose, 0.08 - side, side - 0.08)
    roof = (tail + 0.3 - half, half - nose - 0.55, 0.24 - side, side - 0.24)
    cabin = prism(place, sill, roof, belt, height)
    for name in paint_faces(canvas, cabin, color, label):
        if name in ("rear", "front"):
            panel(canvas, cabin[name], (0.07, 0.93, 0.08, 0.88), jitter(random, GLASS, 10), label)
        elif name != "top":
            panel(canvas, cabin[name], (0.06, 0.47, 0.08, 0.86), GLASS, label)
            panel(canvas, cabin[name], (0.52, 0.94, 0.08, 0.86), GLASS, label)


def draw_bus(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint a city bus."""
    label, color, trim = ID["bus"], _paint(random), _paint(random)
    length, width, height = between(random, 9.5, 12.5), 2.5, between(random, 2.9, 3.2)
    half = length / 2
    _shade_below(canvas, place, length, width)
    paint_faces(canvas, box(place, 0.3 - half, half - 0.3, width - 0.1, 0.0, 0.4), TYRE, label)
    body = box(place, -half, half, width, 0.3, height)
    seen = paint_faces(canvas, body, color, label)
    for name in seen:
        if name == "top":
            continue
        face = body[name]
        panel(canvas, face, (0.0, 1.0, 0.0, 0.12), trim, label)
        if name in ("rear", "front"):
            panel(canvas, face, (0.06, 0.94, 0.46, 0.84), jitter(random, GLASS, 10), label)
            panel(canvas, face, (0.2, 0.8, 0.87, 0.97), DISPLAY, label)
            if name == "front":
                panel(canvas, face, (0.3, 0.6, 0.9, 0.95), (238, 168, 60), label)
        else:
            _paint_windows(canvas, face, 7, 0.46, 0.84, label)
            for door in (0.08, 0.5):
                panel(canvas, face, (door, door + 0.09, 0.06, 0.82), scaled(GLASS, 0.9), label)
    _paint_ends(canvas, body, seen, label, 0.35)
    _paint_wheels(canvas, place, seen, (0.62 * half, -0.5 * half), width, 0.48, label)


def draw_truck(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint a lorry: a cab, and a high box behind it."""
    label, color, cover = ID["truck"], _paint(random), _paint(random)
    length, width = between(random, 6.1, 10.6), between(random, 2.2, 2.5)
    height, cab_height = between(random, 2.8, 3.7), between(random, 2.3, 2.8)
    half, side = length / 2, width / 2
    if happens(random, 0.4):
        cover = jitter(random, (206, 206, 202), 14)
    _shade_below(canvas, place, length, width)
    paint_faces(canvas, box(place, -half, half - 0.4, width - 0.3, 0.0, 1.0), TYRE, label)
    load = box(place, -half, half - 2.1, width, 0.85, height)
    foot = (half - 1.9, half, -side, side)
    cab = prism(place, foot, (half - 1.9, half - 0.3, 0.1 - side, side - 0.1), 0.4, cab_height)

    def paint_load() -> None:
        seen = paint_faces(canvas, load, cover, label)
        _paint_wheels(canvas, place, seen, (1.3 - half, 2.4 - half), width, 0.5, label)
        for name in [name for name in SIDES if name in seen]:
            for rib in (0.2, 0.4, 0.6, 0.8):
                area = (rib, rib + 0.012, 0.0, 1.0)
                panel(canvas, load[name], area, scaled(cover, 0.8), label)
        if "rear" in seen:
            panel(canvas, load["rear"], (0.49, 0.51, 0.0, 1.0), scaled(cover, 0.6), label)
            panel(canvas, load["rear"], (0.0, 1.0, 0.0, 0.08), BUMPER, label)
            for left in (0.02, 0.84):
                panel(canvas, load["rear"], (left, left + 0.14, 0.01, 0.07), TAIL, label)

    def paint_cab() -> None:
        seen = paint_faces(canvas, cab, color, label)
        _paint_wheels(canvas, place, seen, (half - 1.1,), width, 0.5, label)
        for name in [name for name in SIDES if name in seen]:
            panel(canvas, cab[name], (0.25, 0.8, 0.5, 0.88), GLASS, label)
        if "front" in seen:
            panel(canvas, cab["front"], (0.06, 0.94, 0.5, 0.9), GLASS, label)
            panel(canvas, cab["front"], (0.2, 0.8, 0.12, 0.38), scaled(color, 0.5), label)
            for left in (0.03, 0.82):
                panel(canvas, cab["front"], (left, left + 0.15, 0.05, 0.16), HEAD, label)

    # Whichever is nearer hides the other.
    for paint in (paint_load, paint_cab) if place.heading[1] < 0 else (paint_cab, paint_load):
        paint()


def draw_tram(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint a tram: two or three sections joined by bellows, and a pantograph."""
    label, color, trim = ID["train"], _paint(random), _paint(random)
    count, section = pick(random, (2, 3)), between(random, 7.5, 9.5)
    side, height = 1.22, between(random, 3.3, 3.6)
    half = count * section / 2
    _shade_below(canvas, place, 2 * half, 2 * side)
    # Sections count from the tail; the nearest one is painted last.
    for index in range(count) if place.heading[1] < 0 else reversed(range(count)):
        start, end = index * section - half + 0.2, (index + 1) * section - half - 0.2
        if index + 1 < count:
            bellows = box(place, end, end + 0.4, 2 * side - 0.2, 0.3, height - 0.2)
            paint_faces(canvas, bellows, GREY, label)
        roof_start = start + (0.5 if index == 0 else 0.0)
        roof_end = end - (0.5 if index == count - 1 else 0.0)
        roof = (roof_start, roof_end, 0.12 - side, side - 0.12)
        body = prism(place, (start, end, -side, side), roof, 0.18, height)
        for name in paint_faces(canvas, body, color, label):
            if name == "top":
                continue
            face = body[name]
            panel(canvas, face, (0.0, 1.0, 0.0, 0.16), trim, label)
            if name in ("left", "right"):
                _paint_windows(canvas, face, 4, 0.42, 0.8, label)
                panel(canvas, face, (0.44, 0.56, 0.08, 0.82), scaled(GLASS, 0.8), label)
                panel(canvas, face, (0.0, 1.0, 0.88, 1.0), scaled(color, 0.7), label)
            else:
                panel(canvas, face, (0.08, 0.92, 0.4, 0.82), GLASS, label)
                panel(canvas, face, (0.25, 0.75, 0.85, 0.95), DISPLAY, label)
                lamp = HEAD if name == "front" else TAIL
                panel(canvas, face, (0.1, 0.22, 0.2, 0.27), lamp, label)
                panel(canvas, face, (0.78, 0.9, 0.2, 0.27), lamp, label)
    for ahead in (-0.9, 0.9):
        foot, top = place.at(ahead, 0.0, height), place.at(0.0, 0.0, height + 1.1)
        canvas.limb(foot, top, GREY, label, (0.07, 0.07))


def _paint(random: np.random.Generator) -> Color:
    return jitter(random, pick(random, PAINT), 8)


def _shade_below(canvas: Canvas, place: Place, length: float, width: float) -> None:
    a, b = length / 2 + 0.1, width / 2 + 0.1
    ground = [place.at(*corner, 0.0) for corner in ((-a, -b), (-a, b), (a, b), (a, -b))]
    canvas.darken(canvas.patch(ground), 0.45)


def _paint_ends(
    canvas: Canvas, body: dict[str, Face], seen: list[str], label: int, share: float = 1.0
) -> None:
    """Paint bumper, number plate and lights on the lower `share` of the tail and the nose."""
    for name, lamp in (("rear", TAIL), ("front", HEAD)):
        if name in seen and canvas.resolves(0.1, body[name][0][2]):
            for left, right, bottom, top, color in (
                (0.0, 1.0, 0.0, 0.14, BUMPER),
                (0.36, 0.64, 0.24, 0.4, PLATE),
                (0.02, 0.18, 0.42, 0.62, lamp),
                (0.82, 0.98, 0.42, 0.62, lamp),
            ):
                area = (left, right, bottom * share, top * share)
                panel(canvas, body[name], area, color, label)


def _paint_windows(
    canvas: Canvas, face: Face, count: int, low: float, high: float, label: int
) -> None:
    for index in range(count):
        area = ((index + 0.06) / count, (index + 0.94) / count, low, high)
        panel(canvas, face, area, GLASS, label)


def _paint_wheels(
    canvas: Canvas,
    place: Place,
    seen: list[str],
    axles: tuple[float, ...],
    width: float,
    radius: float,
    label: int,
) -> None:
    """Paint the wheels on the visible sides; `axles` are metres ahead of the middle."""
    if not canvas.resolves(radius, place.z):
        return
    tone = canvas.light.ambient + 0.2
    for name, right in (("left", -width / 2), ("right", width / 2)):
        for axle in axles if name in seen else ():
            for r, color in ((radius, TYRE), (0.55 * radius, HUB)):
                rim = [place.at(axle + r * c, right, radius + r * s) for c, s in CIRCLE]
                canvas.flat(rim, scaled(color, tone), label)
