"""A whole street, painted back to front: sky, ground, facades, and what stands there."""

from collections.abc import Callable

from eacnet.data.scenes.canvas import Canvas, Color, Point
from eacnet.data.scenes.street import (
    FARTHEST,
    LABEL,
    NEAREST,
    Dice,
    View,
    car,
    dim,
    large_vehicle,
    person,
    pole,
    tree,
    two_wheeler,
)

# (depth, how to paint it): painted from the farthest to the nearest.
Thing = tuple[float, Callable[[], None]]


def paint_street(canvas: Canvas, dice: Dice) -> None:
    """Paint a street scene with Cityscapes label ids."""
    view = View(
        canvas.height,
        canvas.width,
        horizon=canvas.height * dice.uniform(0.36, 0.5),
        vanishing=canvas.width * dice.uniform(0.35, 0.65),
    )
    road = (-dice.uniform(3.2, 7.5), dice.uniform(3.2, 7.5))
    pavement = (road[0] - dice.uniform(1.6, 3.8), road[1] + dice.uniform(1.6, 3.8))
    _sky(canvas, view, dice)
    _ground(canvas, view, dice, road, pavement)
    things: list[Thing] = []
    for side in (-1, 1):
        edge = pavement[0] if side < 0 else pavement[1]
        things += _row_of_facades(canvas, view, dice, side, edge)
    things += _furniture(canvas, view, dice, road, pavement)
    things += _traffic(canvas, view, dice, road, pavement)
    for _, paint in sorted(things, key=lambda thing: -thing[0]):
        paint()
    if dice.chance(0.6):
        hood = dice.uniform(0.03, 0.09) * view.height
        paint = dice.color(dice.whole(20, 90))
        canvas.ellipse(
            view.width * 0.5, view.height, view.width * 0.55, hood, paint, LABEL["ego vehicle"]
        )


def _sky(canvas: Canvas, view: View, dice: Dice) -> None:
    top = dice.color(*((95, 145, 210), (150, 165, 185), (190, 195, 200))[dice.whole(0, 2)])
    bands = 24
    for band in range(bands):
        share = band / bands
        shade = tuple(round(level + (232 - level) * share * 0.8) for level in top)
        y = view.horizon * share
        canvas.box(0, y, view.width, view.horizon + 1, shade, LABEL["sky"])
    for _ in range(dice.whole(0, 7)):
        x, y = dice.uniform(0, view.width), dice.uniform(0, view.horizon * 0.7)
        cloud = dice.color(228, spread=14)
        for _ in range(5):
            dx, dy = dice.uniform(-0.08, 0.08), dice.uniform(-0.02, 0.02)
            rx, ry = dice.uniform(0.02, 0.07), dice.uniform(0.01, 0.03)
            canvas.ellipse(
                x + dx * view.width, y + dy * view.height, rx * view.width, ry * view.height, cloud
            )
    far = dice.color(75, 100, 70)
    for _ in range(40):
        x = dice.uniform(0, view.width)
        radius = dice.uniform(0.01, 0.05) * view.height
        canvas.ellipse(
            x, view.horizon - 0.2 * radius, 1.6 * radius, radius, dim(far, dice.uniform(0.8, 1.2)),
            LABEL["vegetation"],
        )  # fmt: skip


def _ground(
    canvas: Canvas,
    view: View,
    dice: Dice,
    road: tuple[float, float],
    pavement: tuple[float, float],
) -> None:
    grass = dice.color(100, 120, 65) if dice.chance(0.6) else dice.color(125, 110, 85)
    canvas.box(0, view.horizon, view.width, view.height, grass, LABEL["terrain"])
    slabs = dice.color(dice.whole(125, 165))
    _strip(canvas, view, pavement[0], pavement[1], slabs, LABEL["sidewalk"])
    if dice.chance(0.25):
        edge = pavement[dice.whole(0, 1)]
        _strip(canvas, view, edge, edge * 1.5, dice.color(110), LABEL["parking"])
    asphalt = dice.color(dice.whole(75, 115))
    kerb = dim(slabs, 1.2)
    for edge in road:
        _strip(canvas, view, edge, edge * 1.05, kerb, LABEL["sidewalk"])
    _strip(canvas, view, *road, asphalt, LABEL["road"])
    paint = dice.color(215, spread=15)
    middle = (road[0] + road[1]) / 2
    depth = NEAREST
    while depth < FARTHEST:
        _strip(canvas, view, middle - 0.07, middle + 0.07, paint, None, depth, depth * 1.25)
        depth *= 1.6
    if dice.chance(0.5):
        _strip(canvas, view, road[0] + 0.3, road[0] + 0.42, paint, None)
        _strip(canvas, view, road[1] - 0.42, road[1] - 0.3, paint, None)
    if dice.chance(0.3):
        start = dice.uniform(2, 5)
        for bar in range(6):
            left = road[0] + (bar + 0.25) / 6 * (road[1] - road[0])
            right = road[0] + (bar + 0.75) / 6 * (road[1] - road[0])
            _strip(canvas, view, left, right, paint, None, start, start * 1.3)
    for _ in range(dice.whole(1, 4)):
        near = dice.uniform(1, 8)
        patch = dim(asphalt, dice.uniform(0.8, 1.1))
        left = dice.uniform(*road)
        _strip(
            canvas, view, max(left - 0.8, road[0]), min(left + 0.8, road[1]), patch, None,
            near, near * dice.uniform(1.1, 1.6),
        )  # fmt: skip
    if dice.chance(0.6):
        side = dice.whole(0, 1)
        for _ in range(dice.whole(1, 4)):
            near = dice.uniform(1, 10)
            reach = dice.uniform(0.3, 1.0)
            edge, other = pavement[side], road[1 - side]
            tip = edge + (other - edge) * reach
            corners = [(edge, near), (edge, near * 1.8), (tip, near * 2.0), (tip, near * 1.2)]
            canvas.shadow([view.at(*corner) for corner in corners], dice.whole(50, 110))


def _strip(
    canvas: Canvas,
    view: View,
    left: float,
    right: float,
    color: Color,
    label: int | None,
    near: float = 0.9 * NEAREST,
    far: float = 4 * FARTHEST,
) -> None:
    corners = [(left, near), (right, near), (right, far), (left, far)]
    canvas.polygon([view.at(side, depth) for side, depth in corners], color, label)


def _row_of_facades(canvas: Canvas, view: View, dice: Dice, side: int, edge: float) -> list[Thing]:
    """Line one side of the street: buildings, and between them walls, fences, hedges, gaps."""
    things: list[Thing] = []
    depth = dice.uniform(0.7, 1.2)
    while depth < FARTHEST:
        length = depth * dice.uniform(0.35, 0.9)
        span = (depth, depth + length)
        kind = dice.whole(0, 9)
        if kind <= 5:
            painter = _building
        elif kind == 6:
            painter = _wall
        elif kind == 7:
            painter = _fence
        elif kind == 8:
            painter = _hedge
        else:
            painter = None
        if painter:
            seed = [dice.whole(0, 2**31 - 1)]
            setback = edge + side * dice.uniform(0, 1.5)
            things.append(
                (
                    span[0] + 0.01,
                    lambda p=painter, s=span, e=setback, d=seed: p(canvas, view, Dice(d), e, *s),
                )
            )
        depth += length
    return things


def _panel(
    view: View, side: float, near: float, far: float, low: float, high: float
) -> list[Point]:
    """Return the corners of an upright panel along the street."""
    return [
        view.at(side, near, low),
        view.at(side, far, low),
        view.at(side, far, high),
        view.at(side, near, high),
    ]


def _building(canvas: Canvas, view: View, dice: Dice, side: float, near: float, far: float) -> None:
    label = LABEL["building"]
    height = dice.uniform(5, 18)
    warmth, base = dice.whole(-12, 28), dice.whole(95, 190)
    plaster = dice.color(base + warmth, base, base - warmth, spread=24)
    front = dim(plaster, 0.75)
    # The end wall that faces the camera closes the block against the street.
    beyond = side + (12 if side > 0 else -12)
    feet = [view.at(side, near), view.at(beyond, near)]
    wall = [*feet, view.at(beyond, near, height), view.at(side, near, height)]
    canvas.polygon(wall, front, label)
    canvas.polygon(_panel(view, side, near, far, 0, height), plaster, label)
    glass = dice.color(dice.whole(45, 110), spread=15)
    floors, columns = max(round(height / 3), 1), max(round((far - near) / near * 9), 2)
    for floor in range(floors):
        low = 0.9 + floor * height / floors
        for column in range(columns):
            start = near + (far - near) * (column + 0.25) / columns
            stop = near + (far - near) * (column + 0.75) / columns
            if dice.chance(0.93):
                shade = dim(glass, dice.uniform(0.75, 1.3))
                canvas.polygon(_panel(view, side, start, stop, low, low + 1.5), shade)
    if dice.chance(0.5):
        shop = dice.color(dice.whole(30, 170), dice.whole(30, 170), dice.whole(30, 170))
        canvas.polygon(_panel(view, side, near, far, 2.6, 3.1), shop)
    canvas.polygon(_panel(view, side, near, far, height - 0.3, height), dim(plaster, 0.6))


def _wall(canvas: Canvas, view: View, dice: Dice, side: float, near: float, far: float) -> None:
    height, stone = dice.uniform(1.4, 3.2), dice.color(dice.whole(105, 160))
    canvas.polygon(_panel(view, side, near, far, 0, height), stone, LABEL["wall"])
    for course in range(1, round(height / 0.4)):
        line = [view.at(side, near, course * 0.4), view.at(side, far, course * 0.4)]
        canvas.line(line, 0.03 * view.meter(near), dim(stone, 0.8))


def _fence(canvas: Canvas, view: View, dice: Dice, side: float, near: float, far: float) -> None:
    """Paint a fence; Cityscapes labels its gaps as fence too."""
    height, iron = dice.uniform(1.0, 1.8), dice.color(dice.whole(40, 150))
    behind = dice.color(90, 110, 70)
    canvas.polygon(_panel(view, side, near, far, 0.05, height), behind, LABEL["fence"])
    bars = max(round((far - near) / near * 22), 3)
    for bar in range(bars + 1):
        depth = near + (far - near) * bar / bars
        post = [view.at(side, depth), view.at(side, depth, height)]
        canvas.line(post, 0.07 * view.meter(depth), iron, LABEL["fence"])
    for up in (0.15, height):
        rail = [view.at(side, near, up), view.at(side, far, up)]
        canvas.line(rail, 0.07 * view.meter(near), iron, LABEL["fence"])


def _hedge(canvas: Canvas, view: View, dice: Dice, side: float, near: float, far: float) -> None:
    height, green = dice.uniform(1.0, 2.4), dice.color(65, 100, 50)
    canvas.polygon(_panel(view, side, near, far, 0, height), green, LABEL["vegetation"])
    for _ in range(30):
        depth = dice.uniform(near, far)
        x, y = view.at(side, depth, dice.uniform(0.2, height))
        radius = 0.35 * view.meter(depth)
        canvas.ellipse(
            x, y, radius, radius, dim(green, dice.uniform(0.75, 1.25)), LABEL["vegetation"]
        )


def _furniture(
    canvas: Canvas,
    view: View,
    dice: Dice,
    road: tuple[float, float],
    pavement: tuple[float, float],
) -> list[Thing]:
    """Place poles, signs, lights, trees and a few things that Cityscapes does not score."""
    things: list[Thing] = []

    def place(count: int, paint: Callable[[float, float], None]) -> None:
        for _ in range(count):
            side = dice.whole(0, 1)
            across = dice.uniform(0.15, 0.85)
            spot = road[side] + (pavement[side] - road[side]) * across
            depth = dice.uniform(1.6, 4) if dice.chance(0.35) else dice.uniform(3, 14)
            things.append((depth, lambda s=spot, d=depth: paint(s, d)))

    place(dice.whole(1, 4), lambda s, d: pole(canvas, view, dice, s, d, "lamp"))
    place(dice.whole(1, 3), lambda s, d: pole(canvas, view, dice, s, d, "sign"))
    place(dice.whole(0, 3), lambda s, d: pole(canvas, view, dice, s, d, "light"))
    place(dice.whole(0, 4), lambda s, d: tree(canvas, view, dice, s, d))
    place(dice.whole(0, 1), lambda s, d: _bin(canvas, view, dice, s, d))
    return things


def _bin(canvas: Canvas, view: View, dice: Dice, side: float, depth: float) -> None:
    x, y = view.at(side, depth)
    meter = view.meter(depth)
    color = dice.color(dice.whole(40, 160), dice.whole(40, 160), dice.whole(40, 120))
    canvas.box(x - 0.3 * meter, y - 1.1 * meter, x + 0.3 * meter, y, color, LABEL["static"])


def _traffic(
    canvas: Canvas,
    view: View,
    dice: Dice,
    road: tuple[float, float],
    pavement: tuple[float, float],
) -> list[Thing]:
    """Place vehicles on the road, people on the pavement and some of them on the road."""
    things: list[Thing] = []

    def place(
        count: int,
        sides: tuple[float, float],
        depths: tuple[float, float],
        paint: Callable[[float, float], None],
    ) -> None:
        for _ in range(count):
            side, depth = dice.uniform(*sides), dice.uniform(*depths)
            things.append((depth, lambda s=side, d=depth: paint(s, d)))

    lanes = (road[0] + 1, road[1] - 1)
    place(dice.whole(2, 6), lanes, (2.6, 14), lambda s, d: car(canvas, view, dice, s, d))
    for name, probability in (("bus", 0.4), ("truck", 0.4), ("train", 0.38)):
        place(
            int(dice.chance(probability)), lanes, (5.5, 13),
            lambda s, d, n=name: large_vehicle(canvas, view, dice, s, d, n),
        )  # fmt: skip
    for name, probability in (("bicycle", 0.7), ("motorcycle", 0.6)):
        for _ in range(2):
            ridden = dice.chance(0.6)
            sides = lanes if ridden else (pavement[0] + 0.3, pavement[1] - 0.3)
            place(
                int(dice.chance(probability)), sides, (2.2, 8),
                lambda s, d, n=name, r=ridden: two_wheeler(canvas, view, dice, s, d, n, r),
            )  # fmt: skip
    for left, right in ((pavement[0], road[0]), (road[1], pavement[1])):
        place(
            dice.whole(0, 4), (left, right), (2.2, 10),
            lambda s, d: person(canvas, view, dice, s, d),
        )  # fmt: skip
    place(dice.whole(0, 2), lanes, (3, 9), lambda s, d: person(canvas, view, dice, s, d))
    return things
