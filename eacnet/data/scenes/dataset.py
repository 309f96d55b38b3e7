"""From a seed to scenes, and from scenes to files."""

from collections.abc import Sequence
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np
from PIL import Image

from eacnet.data.scenes.canvas import Canvas
from eacnet.data.scenes.scene import paint_street
from eacnet.data.scenes.street import Dice
from eacnet.errors import InputError
from eacnet.labels import CITYSCAPES, lookup
from eacnet.progress import progress

SPLITS = ("train", "val", "test")
# How strongly a class is grained, in grey levels of 256: fine, middle and coarse.
GRAIN = {
    "road": (18, 10, 14),
    "sidewalk": (20, 14, 14),
    "terrain": (34, 34, 22),
    "vegetation": (46, 42, 18),
    "building": (12, 8, 16),
    "wall": (26, 16, 12),
    "sky": (4, 2, 8),
}
OTHER_GRAIN = (12, 6, 8)


def draw_scene(height: int, width: int, seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Draw one street scene.

    Args:
        height: 64 to 1024 pixels.
        width: 128 to 2048 pixels.
        seed: whole numbers; the same ones give the same pixels on every machine.

    Returns:
        image uint8 (H,W,3), RGB, and Cityscapes label ids uint8 (H,W).

    Raises:
        InputError: a size that scenes are not made for.
    """
    if not (64 <= height <= 1024 and 128 <= width <= 2048):
        raise InputError(f"a scene of {height}x{width} is asked for; 64x128 to 1024x2048 are made")
    dice = Dice(list(seed))
    canvas = Canvas(height, width)
    paint_street(canvas, dice)
    image, labels = canvas.pixels()
    return _light(_grain(image.astype(np.int32), labels, dice), dice), labels


def write_dataset(root: Path, scenes: dict[str, int], height: int, width: int, seed: int) -> None:
    """Write scenes below `root` in the layout of Cityscapes.

    A scene depends on (seed, split, its number) alone, not on how many others there are.

    Args:
        root: gets leftImg8bit/ and gtFine/.
        scenes: split -> how many.
        height: of every scene, in pixels.
        width: of every scene, in pixels.
        seed: of the dataset.
    """
    jobs = [(split, number) for split, count in scenes.items() for number in range(count)]
    write = partial(_write_scene, root, height, width, seed)
    with ThreadPool(2) as pool:
        done = pool.imap_unordered(write, jobs)
        for _ in progress(done, total=len(jobs), desc="draw scenes", unit="scene"):
            pass


def _write_scene(root: Path, height: int, width: int, seed: int, job: tuple[str, int]) -> None:
    split, number = job
    image, labels = draw_scene(height, width, [seed, SPLITS.index(split), number])
    stem = f"synthetic_{number:06d}_000019"
    train_ids, _ = lookup(CITYSCAPES)
    for folder, name, pixels in (
        ("leftImg8bit", "leftImg8bit", image),
        ("gtFine", "gtFine_labelIds", labels),
        ("gtFine", "gtFine_labelTrainIds", train_ids[labels]),
    ):
        target = root / folder / split / "synthetic"
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(target / f"{stem}_{name}.png", compress_level=1)


def _grain(image: np.ndarray, labels: np.ndarray, dice: Dice) -> np.ndarray:
    """Roughen each class in its own way, at three scales."""
    height, width = labels.shape
    amounts = np.tile(np.array(OTHER_GRAIN, np.int32), (256, 1))
    for label in CITYSCAPES:
        amounts[label.id] = GRAIN.get(label.name, OTHER_GRAIN)
    # Detail grows with the image: a leaf of a scene twice as large covers twice as many pixels.
    unit = max(height // 128, 1)
    result = image
    for scale, cell in enumerate((unit, 4 * unit, 16 * unit)):
        rows, columns = -(-height // cell), -(-width // cell)
        noise = dice.noise(rows, columns).repeat(cell, 0).repeat(cell, 1)[:height, :width]
        result = result + (noise * amounts[labels, scale] >> 8)[..., None]
    return result


def _light(image: np.ndarray, dice: Dice) -> np.ndarray:
    """Apply the scene's brightness, its colour cast, light from one side, and sensor noise."""
    height, width, _ = image.shape
    exposure = dice.whole(150, 285)
    gains = np.array([exposure + dice.whole(-22, 22) for _ in range(3)], np.int32)
    slope = dice.whole(-50, 50)
    across = 256 + slope * (2 * np.arange(width, dtype=np.int32) - width) // width
    lit = image * gains // 256 * across[None, :, None] // 256
    lit += dice.noise(height, width)[..., None] * dice.whole(2, 16) // 256
    return np.clip(lit, 0, 255).astype(np.uint8)
