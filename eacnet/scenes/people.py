"""People on foot, on bicycles and on motorcycles, built from bars and balls."""

import numpy as np

from eacnet.scenes.canvas import CIRCLE, Canvas, Point
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.light import Color, scaled
from eacnet.scenes.solids import Place, paint_faces, prism
from eacnet.scenes.vehicles import GLASS, HEAD, PAINT, TAIL, TYRE

CLOTHES = (
    (40, 42, 50),
    (62, 64, 72),
    (36, 44, 78),
    (74, 88, 120),
    (110, 104, 96),
    (150, 36, 44),
    (200, 196, 188),
    (92, 74, 58),
    (58, 86, 62),
    (196, 160, 60),
    (146, 96, 120),
    (30, 30, 34),
)
SKIN = ((224, 178, 150), (198, 148, 118), (150, 104, 78), (98, 66, 50))
HAIR = ((36, 28, 24), (84, 58, 38), (150, 120, 78), (120, 116, 112), (60, 40, 30))


class _Figure:
    """Bars and balls in one body's own directions, all with one label, in soft light."""

    def __init__(self, canvas: Canvas, place: Place, label: int, lean: float = 0.0) -> None:
        self.canvas, self.place, self.label, self.lean = canvas, place, label, lean
        self.tone = canvas.light.ambient + 0.45 * canvas.light.direct

    def at(self, ahead: float, right: float, up: float) -> Point:
        return self.place.at(ahead + self.lean * up, right, up)

    def bar(self, start: Point, end: Point, color: Color, first: float, last: float) -> None:
        tone = scaled(color, self.tone)
        self.canvas.limb(self.at(*start), self.at(*end), tone, self.label, (first, last))

    def ball(self, centre: Point, radius: float, color: Color) -> None:
        self.canvas.disc(self.at(*centre), radius, scaled(color, self.tone), self.label)

    def head(self, centre: Point, radius: float, skin: Color, hair: Color) -> None:
        """Paint a head: hair all round it, the face where it heads."""
        ahead, right, up = centre
        facing = -self.place.heading[1]
        self.ball((ahead, right, up + 0.15 * radius), 1.08 * radius, hair)
        if facing > -0.5:
            self.ball((ahead + 0.4 * radius, right, up - 0.2 * radius), 0.82 * radius, skin)


def draw_person(canvas: Canvas, random: np.random.Generator, place: Place) -> None:
    """Paint a grown-up or a child, walking or standing."""
    h = between(random, 1.05, 1.45) if happens(random, 0.12) else between(random, 1.58, 1.9)
    trousers, coat = (jitter(random, pick(random, CLOTHES), 12) for _ in range(2))
    skin, hair = pick(random, SKIN), pick(random, HAIR)
    stride = between(random, 0.05, 0.2) * h if happens(random, 0.75) else 0.03
    swing = pick(random, (-1, 1)) * stride
    broad = 0.24 * h if abs(place.heading[1]) > 0.7 else 0.17 * h
    figure = _Figure(canvas, place, ID["person"])
    canvas.darken(canvas.patch([place.at(a, b, 0.0) for a, b in _square(0.3)]), 0.7)

    figure.bar(
        (0, 0.13 * h, 0.8 * h), (-swing, 0.15 * h, 0.47 * h), scaled(coat, 0.85), 0.07 * h, 0.05 * h
    )
    for side, step in ((0.05, swing), (-0.05, -swing)):
        foot = (step, side * h * 1.1, 0.02 * h)
        figure.bar((0, side * h, 0.52 * h), foot, trousers, 0.1 * h, 0.06 * h)
        figure.bar(foot, (step + 0.1 * h, foot[1], 0.02 * h), (40, 36, 34), 0.05 * h, 0.04 * h)
    if happens(random, 0.25):
        figure.bar((0, 0, 0.55 * h), (0, 0, 0.22 * h), coat, 0.8 * broad, 1.15 * broad)
    figure.bar((0, 0, 0.46 * h), (0, 0, 0.83 * h), coat, 0.85 * broad, broad)
    figure.bar((0, 0, 0.8 * h), (0, 0, 0.88 * h), skin, 0.07 * h, 0.07 * h)
    figure.bar(
        (0, -0.13 * h, 0.8 * h), (swing, -0.15 * h, 0.47 * h), scaled(coat, 0.9), 0.07 * h, 0.05 * h
    )
    if happens(random, 0.3):
        bag = jitter(random, pick(random, CLOTHES), 15)
        if place.heading[1] > 0.7:
            figure.bar((-0.15, 0, 0.55 * h), (-0.15, 0, 0.8 * h), bag, 0.18 * h, 0.16 * h)
        else:
            figure.bar(
                (swing, -0.17 * h, 0.42 * h), (swing, -0.17 * h, 0.27 * h), bag, 0.14 * h, 0.17 * h
            )
    figure.head((0, 0, 0.925 * h), 0.07 * h, skin, hair)


def draw_bicycle(
    canvas: Canvas, random: np.random.Generator, place: Place, ridden: bool = False
) -> None:
    """Paint a bicycle and, if it is ridden, its rider.

    As in Cityscapes, what shows between the spokes counts as bicycle; not so between the tubes.
    """
    color = jitter(random, pick(random, (*CLOTHES, (170, 172, 176))), 14)
    bike = _Figure(canvas, place, ID["bicycle"], 0.0 if ridden else between(random, -0.02, 0.02))
    for axle in (0.52, -0.52):
        _spoked_wheel(bike, axle)
    crank, saddle, stem = (-0.08, 0.0, 0.32), (-0.24, 0.0, 0.86), (0.38, 0.0, 0.84)
    for start, end in (
        (crank, saddle),
        (crank, stem),
        ((-0.2, 0.0, 0.74), stem),
        (crank, (-0.52, 0.0, 0.35)),
        ((-0.52, 0.0, 0.35), (-0.2, 0.0, 0.74)),
        (stem, (0.52, 0.0, 0.35)),
    ):
        bike.bar(start, end, color, 0.055, 0.055)
    bike.bar((-0.36, 0.0, 0.92), (-0.12, 0.0, 0.9), (40, 36, 34), 0.09, 0.06)
    bike.bar((0.36, -0.28, 1.02), (0.36, 0.28, 1.02), (60, 60, 62), 0.05, 0.05)
    bike.bar(stem, (0.36, 0.0, 1.02), (60, 60, 62), 0.05, 0.05)
    if happens(random, 0.3):
        bike.bar((-0.75, 0.0, 0.8), (-0.4, 0.0, 0.8), (84, 72, 58), 0.2, 0.2)
    if ridden:
        _rider(canvas, random, place, saddle, (0.34, 1.02), (crank[0], 0.2))


def draw_motorcycle(
    canvas: Canvas, random: np.random.Generator, place: Place, ridden: bool = False
) -> None:
    """Paint a motorcycle or scooter and, if it is ridden, its rider."""
    color = jitter(random, pick(random, PAINT), 8)
    bike = _Figure(canvas, place, ID["motorcycle"])
    for axle in (0.68, -0.66):
        for radius, tint in ((0.3, TYRE), (0.15, (120, 120, 122))):
            rim = [place.at(axle + radius * c, 0.0, 0.31 + radius * s) for c, s in CIRCLE]
            canvas.flat(rim, scaled(tint, bike.tone), bike.label)
        bike.bar((axle, 0.0, 0.02), (axle, 0.0, 0.6), TYRE, 0.15, 0.15)
    bike.bar((-0.4, 0.0, 0.42), (0.35, 0.0, 0.46), (58, 58, 60), 0.36, 0.4)
    bike.bar((0.68, 0.0, 0.32), (0.42, 0.0, 0.98), (150, 150, 152), 0.1, 0.1)
    tank = prism(place, (-0.15, 0.45, -0.2, 0.2), (-0.1, 0.4, -0.15, 0.15), 0.58, 0.9)
    seat = prism(place, (-0.95, -0.1, -0.16, 0.16), (-1.0, -0.1, -0.14, 0.14), 0.62, 0.82)
    nearest_last = [(tank, color), (seat, (36, 34, 34))]
    if place.heading[1] < 0:
        nearest_last.reverse()
    for body, tint in nearest_last:
        paint_faces(canvas, body, tint, bike.label)
    bike.bar((-0.95, -0.02, 0.62), (-0.95, 0.02, 0.62), color, 0.26, 0.26)
    if place.heading[1] < 0.5:
        bike.ball((0.55, 0.0, 0.88), 0.14, color)
        bike.ball((0.6, 0.0, 0.86), 0.09, HEAD)
    if place.heading[1] > -0.5:
        bike.ball((-1.0, 0.0, 0.7), 0.07, TAIL)
    bike.bar((0.36, -0.36, 1.04), (0.36, 0.36, 1.04), (44, 44, 46), 0.06, 0.06)
    for right in (-0.36, 0.36):
        bike.ball((0.4, right, 1.16), 0.07, GLASS)
    if ridden:
        _rider(canvas, random, place, (-0.3, 0.0, 0.82), (0.36, 1.04), (0.0, 0.34), helmet=True)


def _rider(
    canvas: Canvas,
    random: np.random.Generator,
    place: Place,
    saddle: Point,
    handlebar: tuple[float, float],
    pedal: tuple[float, float],
    helmet: bool = False,
) -> None:
    """Paint somebody who sits on `saddle` with hands on the bar and feet on the pedals."""
    trousers, coat = (jitter(random, pick(random, CLOTHES), 12) for _ in range(2))
    skin, hair = pick(random, SKIN), pick(random, HAIR)
    if helmet or happens(random, 0.4):
        hair = jitter(random, pick(random, ((230, 230, 228), (36, 36, 40), (170, 40, 40))), 10)
    rider = _Figure(canvas, place, ID["rider"])
    ahead, _, up = saddle
    shoulder = (ahead + between(random, 0.16, 0.4), 0.0, up + 0.58)
    broad = 0.42 if abs(place.heading[1]) > 0.7 else 0.3
    for side, phase in ((0.11, 0.14), (-0.11, -0.14)):
        knee = (ahead + 0.36, side * 1.2, up - 0.22 + phase / 2)
        foot = (pedal[0] + phase / 2, side * 1.2, pedal[1] + phase / 2)
        rider.bar((ahead, side, up + 0.04), knee, trousers, 0.19, 0.14)
        rider.bar(knee, foot, trousers, 0.14, 0.1)
        rider.bar(foot, (foot[0] + 0.16, foot[1], foot[2]), (38, 36, 36), 0.09, 0.07)
    for side in (0.22, -0.22):
        hand = (handlebar[0], side * 1.2, handlebar[1] + 0.02)
        rider.bar((shoulder[0], side, shoulder[2] - 0.06), hand, scaled(coat, 0.88), 0.13, 0.09)
    rider.bar((ahead, 0.0, up - 0.02), shoulder, coat, 0.8 * broad, broad)
    rider.head((shoulder[0] + 0.05, 0.0, shoulder[2] + 0.19), 0.135 if helmet else 0.12, skin, hair)


def _spoked_wheel(bike: _Figure, axle: float) -> None:
    canvas, tyre = bike.canvas, scaled((34, 34, 36), bike.tone)
    outer, inner = (
        canvas.patch([bike.at(axle + r * c, 0.0, 0.35 + r * s) for c, s in CIRCLE])
        for r in (0.35, 0.29)
    )
    # Seen from ahead or behind, a wheel is a line.
    bike.bar((axle, 0.0, 0.02), (axle, 0.0, 0.7), (60, 60, 62), 0.04, 0.04)
    canvas.relabel(outer, bike.label)
    canvas.darken(outer, 0.86)
    if outer is not None and inner is not None:
        top, left = inner.rows.start - outer.rows.start, inner.cols.start - outer.cols.start
        rows, cols = inner.mask.shape
        outer.mask[top : top + rows, left : left + cols] &= ~inner.mask
        canvas.paint(outer, canvas.light.hazed(tyre, bike.place.z), bike.label)


def _square(half: float) -> tuple[tuple[float, float], ...]:
    return ((-half, -half), (-half, half), (half, half), (half, -half))
