"""Sun, haze, surface texture and the sensor: how a scene looks, whatever stands in it."""

from dataclasses import dataclass

import numpy as np

from eacnet.scenes.chance import between, pick
from eacnet.scenes.label_ids import ID

Color = tuple[float, float, float]

# How much a surface's brightness varies, in percent: fine, medium, coarse, very coarse grain.
# Labels that are not listed get the row of "unlabeled".
_GRAIN = {
    ID["unlabeled"]: (5, 5, 4, 4),
    ID["road"]: (6, 5, 5, 8),
    ID["sidewalk"]: (7, 7, 6, 8),
    ID["parking"]: (6, 5, 5, 8),
    ID["rail track"]: (18, 12, 6, 6),
    ID["building"]: (5, 5, 6, 8),
    ID["wall"]: (7, 9, 9, 10),
    ID["fence"]: (7, 5, 5, 4),
    ID["vegetation"]: (22, 16, 10, 8),
    ID["terrain"]: (16, 14, 12, 12),
    ID["sky"]: (0, 0, 0, 2),
    ID["person"]: (5, 8, 4, 0),
    ID["rider"]: (5, 8, 4, 0),
}


@dataclass(frozen=True)
class Light:
    """One scene's weather.

    `sun` is the unit vector (x, y, z) towards the sun, `direct` and `ambient` its light and the
    sky's, `haze` the distance in metres at which half of a colour is lost to `horizon`, the colour
    of the sky above the horizon; `zenith` is its colour at the top, `clouds` the share they cover.
    """

    sun: tuple[float, float, float]
    direct: float
    ambient: float
    haze: float
    horizon: Color
    zenith: Color
    cloud: Color
    clouds: float

    @property
    def shadow(self) -> float:
        """The brightness of ground in the shade, as a share of that in the sun."""
        return self.ambient / (self.ambient + self.direct * self.sun[1])

    def shaded(self, color: Color, normal: tuple[float, float, float]) -> Color:
        """Return the colour of a surface with that unit normal."""
        facing = sum(n * s for n, s in zip(normal, self.sun, strict=True))
        return scaled(color, self.ambient + self.direct * max(facing, 0.0))

    def hazed(self, color: Color, depth: float) -> Color:
        """Return `color` as seen through `depth` metres of air."""
        return mix(color, self.horizon, depth / (depth + self.haze))


def scaled(color: Color, factor: float) -> Color:
    """Return a colour times `factor`."""
    red, green, blue = color
    return (red * factor, green * factor, blue * factor)


def mix(first: Color, second: Color, share: float) -> Color:
    """Return `share` of the second colour in the first."""
    rest = 1 - share
    (r0, g0, b0), (r1, g1, b1) = first, second
    return (rest * r0 + share * r1, rest * g0 + share * g1, rest * b0 + share * b1)


def draw_light(random: np.random.Generator) -> Light:
    """Draw the weather: sunny, overcast or low sun."""
    side = pick(random, (-1, 1))
    weather = pick(random, ("sunny", "sunny", "overcast", "overcast", "low"))
    if weather == "sunny":
        x, y, z = pick(random, ((0.6, 0.64, -0.48), (0.48, 0.8, -0.36), (0.64, 0.6, 0.48)))
        ambient, direct = between(random, 0.5, 0.62), between(random, 0.5, 0.65)
        zenith = (between(random, 70, 120), between(random, 125, 160), between(random, 195, 235))
        horizon, cloud = (205, 218, 230), (246, 246, 248)
        haze, clouds = between(random, 400, 900), between(random, 0.1, 0.5)
    elif weather == "overcast":
        x, y, z = 0.28, 0.96, 0.0
        ambient, direct = between(random, 0.72, 0.88), between(random, 0.06, 0.2)
        grey = between(random, 165, 215)
        zenith, horizon = (grey, grey + 4, grey + 10), (grey + 22, grey + 23, grey + 24)
        cloud = (grey - 18, grey - 16, grey - 12)
        haze, clouds = between(random, 130, 400), between(random, 0.3, 0.7)
    else:
        x, y, z = pick(random, ((0.8, 0.36, -0.48), (0.6, 0.28, 0.75)))
        ambient, direct = between(random, 0.4, 0.5), between(random, 0.4, 0.6)
        zenith = (between(random, 95, 135), between(random, 110, 140), between(random, 150, 185))
        horizon, cloud = (238, 205, 175), (225, 190, 175)
        haze, clouds = between(random, 250, 600), between(random, 0.2, 0.6)
    return Light((side * x, y, z), direct, ambient, haze, horizon, zenith, cloud, clouds)


def draw_grain(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Draw smooth noise in four grain sizes, float32 (4,H,W) in -1..1; sizes follow the height."""
    return np.stack(
        [_smooth(random, height, width, max(height // parts, 1)) for parts in (96, 48, 20, 6)]
    )


def develop(
    random: np.random.Generator, colors: np.ndarray, labels: np.ndarray, grain: np.ndarray
) -> np.ndarray:
    """Return the photograph of a painted scene: texture, exposure, colour cast, vignette, noise.

    Args:
        random: source of randomness.
        colors: integers 0..255 (H,W,3).
        labels: uint8 (H,W) label ids, which select the texture.
        grain: float32 (4,H,W) from `draw_grain`.
    """
    height, width = labels.shape
    table = np.array([_GRAIN.get(i, _GRAIN[0]) for i in range(int(labels.max()) + 1)], np.float32)
    texture = np.ones((height, width), np.float32)
    for size, amounts in zip(grain, table.T / np.float32(100), strict=True):
        texture += size * amounts[labels]

    rows = (np.arange(height, dtype=np.float32) * 2 - height) / np.float32(height)
    cols = (np.arange(width, dtype=np.float32) * 2 - width) / np.float32(width)
    vignette = np.float32(between(random, 0.0, 0.14))
    texture *= 1 - vignette * (rows[:, None] * rows[:, None] + cols * cols)

    exposure = between(random, 0.85, 1.3)
    gains = [exposure * between(random, 0.93, 1.07) for _ in range(3)]
    black = between(random, 0, 14)
    strength = between(random, 1.5, 4.5)
    image = np.empty((height, width, 3), np.uint8)
    for channel, gain in enumerate(gains):
        # The sum of two bytes has a triangular density with a standard deviation of 104.
        noise = random.integers(256, size=(2, height, width), dtype=np.uint8)
        noise = noise[0].astype(np.float32) + noise[1] - 255
        light = texture * colors[..., channel] * np.float32(gain) + np.float32(black)
        # Bright pixels are noisier, as photons are counted.
        light += noise * (np.float32(strength / 104) * (np.float32(0.6) + light / np.float32(320)))
        image[..., channel] = np.clip(light, 0, 255)
    return image


def _smooth(random: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    """Return bilinear noise whose knots lie `cell` pixels apart, float32 (H,W) in -1..1."""
    size = (height // cell + 2, width // cell + 2)
    knots = random.integers(256, size=size, dtype=np.uint8).astype(np.float32)
    knots = (knots - np.float32(127.5)) / np.float32(127.5)
    (row, down), (col, right) = (
        np.divmod(np.arange(height), cell),
        np.divmod(np.arange(width), cell),
    )
    right = right.astype(np.float32) / np.float32(cell)
    down = (down.astype(np.float32) / np.float32(cell))[:, None]
    lines = knots[:, col] * (1 - right) + knots[:, col + 1] * right
    return lines[row] * (1 - down) + lines[row + 1] * down
