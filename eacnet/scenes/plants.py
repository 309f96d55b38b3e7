"""Trees, bushes and hedges: ragged blobs of leaves."""

import numpy as np

from eacnet.scenes.canvas import SUPERSAMPLING, Canvas, Patch, Point
from eacnet.scenes.chance import between, happens, jitter, pick
from eacnet.scenes.label_ids import ID
from eacnet.scenes.light import Color, scaled
from eacnet.scenes.solids import Place

VEGETATION = ID["vegetation"]
LEAVES = ((58, 92, 42), (72, 104, 48), (46, 78, 44), (92, 112, 56), (84, 92, 58), (120, 108, 52))
BARK = (84, 72, 62)


def draw_leaves(
    canvas: Canvas,
    random: np.random.Generator,
    centre: Point,
    radii: tuple[float, float],
    color: Color,
) -> None:
    """Paint a blob of leaves with a ragged rim and holes; `radii` across and up in metres."""
    camera, light = canvas.camera, canvas.light
    shift = [int(random.integers(size)) for size in canvas.grain.shape[1:]]
    if centre[2] < 1.0:
        return
    x, y = camera.project(centre)
    wide, tall = (max(camera.focal * radius / centre[2], 1.0) for radius in radii)
    top, bottom = max(int(y - tall), 0), min(int(y + tall) + 1, canvas.height)
    left, right = max(int(x - wide), 0), min(int(x + wide) + 1, canvas.width)
    if top >= bottom or left >= right:
        return
    rows, cols = np.arange(top, bottom), np.arange(left, right)
    up = ((y - rows) / np.float32(tall)).astype(np.float32)[:, None]
    across = ((cols - x) / np.float32(wide)).astype(np.float32)

    fine, medium, coarse, _ = canvas.grain
    here = (
        (rows // SUPERSAMPLING + shift[0])[:, None] % fine.shape[0],
        (cols // SUPERSAMPLING + shift[1]) % fine.shape[1],
    )
    rough, smooth = (fine, medium) if tall < canvas.height / 12 else (medium, coarse)
    rough, smooth = rough[here], smooth[here]
    mask = up * up + across * across + np.float32(0.45) * (rough + smooth) < np.float32(0.85)

    # The upper half and the half that faces the sun are brighter.
    tone = np.float32(light.ambient + 0.35 * light.direct)
    sunny = np.float32(0.5 * light.direct * light.sun[0])
    tone = tone * (1 + np.float32(0.22) * up + np.float32(0.28) * smooth) + sunny * across
    veil = centre[2] / (centre[2] + light.haze)
    leaf = np.array(scaled(color, 1 - veil), np.float32)
    haze = np.array(scaled(light.horizon, veil), np.float32)
    pixels = np.empty((*mask.shape, 4), np.uint8)
    pixels[..., :3] = np.minimum(tone[..., None] * leaf + haze, 255)
    pixels[..., 3] = VEGETATION
    patch = Patch(slice(top, bottom), slice(left, right), mask)
    canvas.paint_words(patch, pixels.view(np.uint32)[..., 0])


def draw_tree(canvas: Canvas, random: np.random.Generator, place: Place, height: float) -> None:
    """Paint a tree: a trunk and a crown of several blobs, round or slender."""
    color = jitter(random, pick(random, LEAVES), 14)
    bark = canvas.light.shaded(jitter(random, BARK, 12), (0.0, 0.6, -0.8))
    slender = happens(random, 0.25)
    x, z = place.x, place.z
    bare = between(random, 0.2, 0.45) * height
    thick = 0.025 * height + 0.1
    canvas.limb((x, 0, z), (x, 0.75 * height, z), bark, VEGETATION, (thick, thick / 2))
    spread = (0.13 if slender else between(random, 0.26, 0.36)) * height
    count = 4
    for index in range(count):
        y = bare + (height - bare) * (index + 0.6) / count
        narrow = 1 - 0.5 * abs(2 * (index + 0.5) / count - 0.9)
        sideways = between(random, -0.5, 0.5) * spread
        blob = (spread * narrow, (height - bare) * 0.32)
        draw_leaves(canvas, random, (x + sideways, y, z), blob, jitter(random, color, 7))


def draw_hedge(
    canvas: Canvas, random: np.random.Generator, x: float, start: float, end: float, height: float
) -> None:
    """Paint a row of bushes along the street, from far to near."""
    color = jitter(random, pick(random, LEAVES), 12)
    z = end
    while z > start:
        blob = (height * between(random, 0.7, 1.0), height * between(random, 0.5, 0.7))
        draw_leaves(canvas, random, (x, blob[1] * 0.8, z), blob, jitter(random, color, 8))
        z -= height * between(random, 0.6, 1.0)
