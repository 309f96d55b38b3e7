"""What stands in a street: things in metres on a ground plane, seen in perspective."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eacnet.data.scenes.canvas import Canvas, Color, Point
from eacnet.labels import CITYSCAPES

LABEL = {label.name: label.id for label in CITYSCAPES}
CAMERA_HEIGHT = 1.4  # metres
NEAREST, FARTHEST = 1.0, 30.0


@dataclass(frozen=True)
class View:
    """Where the street's parts fall in the image. Depth 1 is the ground at the lower rim."""

    height: int
    width: int
    horizon: float
    vanishing: float

    def meter(self, depth: float) -> float:
        """Return the length of a metre at `depth`, in pixels."""
        return (self.height - self.horizon) / CAMERA_HEIGHT / depth

    def at(self, side: float, depth: float, up: float = 0.0) -> tuple[float, float]:
        """Return (x, y) in pixels of a point `side` metres to the right, `up` above the ground."""
        meter = self.meter(depth)
        return self.vanishing + side * meter, self.horizon + (CAMERA_HEIGHT - up) * meter


class Dice:
    """Draws of a NumPy generator that are the same on every machine."""

    def __init__(self, seed: list[int]) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between `low` and `high`."""
        return low + (high - low) * float(self._generator.random())

    def chance(self, probability: float) -> bool:
        """Be true with a probability."""
        return float(self._generator.random()) < probability

    def whole(self, low: int, high: int) -> int:
        """Draw one of low, low + 1, ..., high."""
        return int(self._generator.integers(low, high + 1))

    def color(self, *around: int, spread: int = 20) -> Color:
        """Draw a colour around a grey level or an RGB triple."""
        center = around * 3 if len(around) == 1 else around
        common = self.whole(-spread, spread)
        shades = (level + common + self.whole(-spread // 3, spread // 3) for level in center)
        red, green, blue = (min(max(shade, 0), 255) for shade in shades)
        return red, green, blue

    def noise(self, height: int, width: int) -> np.ndarray:
        """Draw a map of whole numbers in -128..127, int32 (height, width)."""
        return self._generator.integers(-128, 128, (height, width), np.int32)


def dim(color: Color, share: float) -> Color:
    """Return `color` at a share of its brightness."""
    red, green, blue = (min(int(level * share), 255) for level in color)
    return red, green, blue


def car(canvas: Canvas, view: View, dice: Dice, side: float, depth: float) -> None:
    """Paint a car from behind or from the side."""
    body = dice.color(dice.whole(30, 220), dice.whole(30, 220), dice.whole(30, 220), spread=10)
    if dice.chance(0.6):
        body = dice.color(dice.whole(25, 225))
    length = 1.75 if dice.chance(0.65) else 4.2
    label = LABEL["car"]
    place = _place(canvas, view, side, depth, length)
    low, waist, roof = 0.25, 0.95, 1.45
    inset = 0.12 if length < 2 else 0.2
    canvas.polygon(place((0, low), (1, low), (1, waist), (0, waist)), body, label)
    cabin = place((inset / 2, waist), (inset, roof), (1 - inset, roof), (1 - inset / 2, waist))
    canvas.polygon(cabin, dim(body, 0.9), label)
    glass = place((inset, 1.0), (inset * 1.3, 1.38), (1 - inset * 1.3, 1.38), (1 - inset, 1.0))
    canvas.polygon(glass, dice.color(50, 60, 70))
    _wheels(
        canvas, view, side, depth, length, 0.32, (0.2, 0.8) if length > 2 else (0.1, 0.9), label
    )
    if length < 2:
        for left in (0.05, 0.8):
            lamp = place((left, 0.7), (left + 0.15, 0.7), (left + 0.15, 0.85), (left, 0.85))
            canvas.polygon(lamp, (190, 30, 30))
        canvas.polygon(place((0.35, 0.5), (0.65, 0.5), (0.65, 0.62), (0.35, 0.62)), (215, 215, 200))


def large_vehicle(
    canvas: Canvas, view: View, dice: Dice, side: float, depth: float, name: str
) -> None:
    """Paint a bus, a truck or a tram."""
    label = LABEL[name]
    length, height = {
        "bus": (2.6 if dice.chance(0.5) else 9.0, 3.1),
        "truck": (2.5 if dice.chance(0.4) else 7.0, 3.3),
        "train": (2.7 if dice.chance(0.3) else 14.0, 3.6),
    }[name]
    body = dice.color(dice.whole(40, 230), dice.whole(40, 230), dice.whole(40, 230))
    place = _place(canvas, view, side, depth, length)
    if name == "truck" and length > 5:
        canvas.polygon(place((0, 0.7), (0.74, 0.7), (0.74, height), (0, height)), body, label)
        cab = dice.color(dice.whole(60, 220))
        canvas.polygon(place((0.76, 0.5), (1, 0.5), (1, 1.7), (0.95, 2.6), (0.76, 2.6)), cab, label)
        canvas.polygon(place((0, 0.5), (1, 0.5), (1, 0.75), (0, 0.75)), (45, 45, 45), label)
        canvas.polygon(place((0.86, 1.7), (0.98, 1.7), (0.94, 2.4), (0.86, 2.4)), (60, 70, 80))
    else:
        canvas.polygon(place((0, 0.3), (1, 0.3), (1, height), (0, height)), body, label)
        stripe = dim(body, 0.7)
        canvas.polygon(place((0, 0.3), (1, 0.3), (1, 0.8), (0, 0.8)), stripe)
        panes = 1 if length < 3 else round(length / 1.5)
        for pane in range(panes if name != "truck" else 0):
            left, right = (pane + 0.1) / panes, (pane + 0.9) / panes
            canvas.polygon(
                place((left, 1.4), (right, 1.4), (right, 2.5), (left, 2.5)), dice.color(55, 65, 75)
            )
        if name == "train":
            x, y = view.at(side, depth, height)
            meter = view.meter(depth)
            arm = [(x, y), (x - 0.6 * meter, y - 0.5 * meter), (x, y - 1.0 * meter)]
            canvas.line(arm, 0.08 * meter, (50, 50, 55), label)
    wheels = (0.15, 0.85) if length > 3 else (0.12, 0.88)
    if name != "train":
        _wheels(canvas, view, side, depth, length, 0.48, wheels, label)


def person(
    canvas: Canvas,
    view: View,
    dice: Dice,
    side: float,
    depth: float,
    label: int = LABEL["person"],
    lift: float = 0.0,
) -> None:
    """Paint a person: two legs, a body, arms and a head; `lift` metres above the ground."""
    size = dice.uniform(1.5, 1.9) / 1.75
    meter = view.meter(depth) * size
    x, y = view.at(side, depth, lift)
    coat = dice.color(dice.whole(20, 200), dice.whole(20, 200), dice.whole(20, 200))
    legs = dice.color(dice.whole(25, 110))
    skin = dice.color(*((205, 160, 135), (150, 105, 80), (95, 65, 50))[dice.whole(0, 2)])
    stride = dice.uniform(0.05, 0.35) * meter
    hip = y - 0.85 * meter
    for foot in (-stride, stride):
        canvas.line([(x, hip), (x + foot, y)], 0.16 * meter, legs, label)
    shoulder = y - 1.5 * meter
    canvas.polygon(
        [
            (x - 0.15 * meter, hip),
            (x + 0.15 * meter, hip),
            (x + 0.22 * meter, shoulder),
            (x - 0.22 * meter, shoulder),
        ],
        coat,
        label,
    )
    for arm in (-1, 1):
        swing = arm * dice.uniform(0.25, 0.4) * meter
        start = (x + arm * 0.2 * meter, shoulder + 0.05 * meter)
        canvas.line([start, (x + swing, hip)], 0.1 * meter, dim(coat, 0.85), label)
    canvas.ellipse(x, y - 1.63 * meter, 0.11 * meter, 0.14 * meter, skin, label)


def two_wheeler(
    canvas: Canvas, view: View, dice: Dice, side: float, depth: float, name: str, ridden: bool
) -> None:
    """Paint a bicycle or a motorcycle, with or without its rider."""
    label, meter = LABEL[name], view.meter(depth)
    x, y = view.at(side, depth)
    motor = name == "motorcycle"
    frame = dice.color(dice.whole(20, 200), dice.whole(20, 200), dice.whole(20, 200))
    radius = (0.3 if motor else 0.34) * meter
    reach = (0.65 if motor else 0.52) * meter
    tyre = (0.12 if motor else 0.05) * meter
    if ridden:
        person(canvas, view, dice, side, depth, LABEL["rider"], lift=0.35)
    for wheel in (-reach, reach):
        canvas.ring(x + wheel, y - radius, radius, tyre, (25, 25, 28), label)
    saddle, bar = (x - 0.25 * meter, y - 0.85 * meter), (x + 0.4 * meter, y - 0.95 * meter)
    pedal = (x, y - 0.3 * meter)
    if motor:
        body = [(x - reach, y - 0.75 * meter), (x + 0.45 * meter, y - 0.8 * meter)]
        canvas.polygon(
            [*body, (x + 0.35 * meter, pedal[1]), (x - 0.4 * meter, pedal[1])], frame, label
        )
    bars = [(x - reach, y - radius), pedal, bar, saddle, pedal]
    canvas.line(bars, 0.05 * meter, frame, label)
    canvas.line([bar, (x + reach, y - radius)], 0.05 * meter, frame, label)


def tree(canvas: Canvas, view: View, dice: Dice, side: float, depth: float) -> None:
    """Paint a tree: a trunk and a crown of many blobs."""
    label, meter = LABEL["vegetation"], view.meter(depth)
    x, y = view.at(side, depth)
    height, spread = dice.uniform(3.5, 8), dice.uniform(1.0, 2.4)
    bark = dice.color(85, 70, 55)
    canvas.line([(x, y), (x, y - 0.6 * height * meter)], 0.3 * meter, bark, label)
    green = dice.color(dice.whole(50, 105), dice.whole(85, 130), dice.whole(35, 60))
    for _ in range(dice.whole(9, 16)):
        dx = dice.uniform(-spread, spread) * 0.8
        dy = dice.uniform(0.45, 1.0) * height
        radius = dice.uniform(0.25, 0.55) * spread
        canvas.ellipse(
            x + dx * meter, y - dy * meter, radius * meter, radius * meter,
            dim(green, dice.uniform(0.7, 1.15)), label,
        )  # fmt: skip


def pole(canvas: Canvas, view: View, dice: Dice, side: float, depth: float, kind: str) -> None:
    """Paint a pole: a lamp, or one with a traffic sign or a traffic light."""
    meter = view.meter(depth)
    x, y = view.at(side, depth)
    height = {"lamp": dice.uniform(5, 7.5), "sign": 2.7, "light": 3.3}[kind]
    top = y - height * meter
    metal = dice.color(dice.whole(70, 150))
    canvas.line([(x, y), (x, top)], 0.11 * meter, metal, LABEL["pole"])
    if kind == "lamp":
        reach = -1.6 if side > 0 else 1.6
        canvas.line([(x, top), (x + reach * meter, top)], 0.09 * meter, metal, LABEL["pole"])
    elif kind == "light":
        canvas.box(
            x - 0.2 * meter, top - 0.9 * meter, x + 0.2 * meter, top, (30, 32, 30),
            LABEL["traffic light"],
        )  # fmt: skip
        lamps = [(70, 20, 20), (70, 60, 20), (20, 60, 30)]
        lit = dice.whole(0, 2)
        lamps[lit] = [(255, 50, 40), (255, 190, 40), (60, 240, 120)][lit]
        for row, lamp in enumerate(lamps):
            canvas.ellipse(x, top - (0.75 - 0.3 * row) * meter, 0.11 * meter, 0.11 * meter, lamp)
    else:
        label, size = LABEL["traffic sign"], dice.uniform(0.38, 0.55) * meter
        red, blue, white = (200, 40, 45), (40, 80, 180), (235, 235, 230)
        shape = dice.whole(0, 2)
        if shape == 0:
            canvas.ellipse(x, top, size, size, red, label)
            canvas.ellipse(x, top, 0.68 * size, 0.68 * size, white)
        elif shape == 1:
            canvas.box(x - size, top - size, x + size, top + size, blue, label)
            canvas.box(x - 0.5 * size, top - 0.2 * size, x + 0.5 * size, top + 0.2 * size, white)
        else:
            rim = [(x - size, top + 0.8 * size), (x + size, top + 0.8 * size), (x, top - size)]
            canvas.polygon(rim, red, label)
            inner = [
                (x + 0.6 * (px - x), top + 0.25 * size + 0.6 * (py - top - 0.25 * size))
                for px, py in rim
            ]
            canvas.polygon(inner, white)


def _place(
    canvas: Canvas, view: View, side: float, depth: float, length: float
) -> Callable[..., list[Point]]:
    """Drop the shadow of something `length` metres wide; return a map from corners to pixels.

    A corner is (share of the length, metres up).
    """
    x, y = view.at(side - length / 2, depth)
    meter = view.meter(depth)
    canvas.shadow(
        [
            (x - 0.1 * meter, y),
            (x + (length + 0.1) * meter, y),
            (x + (length + 0.3) * meter, y + 0.12 * meter),
            (x + 0.1 * meter, y + 0.12 * meter),
        ],
        90,
    )
    return lambda *corners: [
        (x + across * length * meter, y - up * meter) for across, up in corners
    ]


def _wheels(
    canvas: Canvas, view: View, side: float, depth: float, length: float, radius: float,
    at: tuple[float, float], label: int,
) -> None:  # fmt: skip
    x, y = view.at(side - length / 2, depth)
    meter = view.meter(depth)
    for share in at:
        center = (x + share * length * meter, y - radius * meter)
        canvas.ellipse(*center, radius * meter, radius * meter, (28, 28, 30), label)
        canvas.ellipse(*center, 0.5 * radius * meter, 0.5 * radius * meter, (120, 120, 122))
