"""The synthetic dataset as files, in the layout of Cityscapes."""

from pathlib import Path

import numpy as np
from PIL import Image

from eacnet.datasets.cityscapes import LABELS
from eacnet.datasets.labels import lookup
from eacnet.progress import progress
from eacnet.scenes.scene import draw_annotated_scene

SPLITS = ("train", "val", "test")


def write_dataset(root: Path, scenes: dict[str, int], height: int, width: int, seed: int) -> None:
    """Draw a dataset of street scenes and write it below `root` in the layout of Cityscapes.

    A scene depends on the seed, its split and its index alone, not on how many others there are.

    Args:
        root: the folder that gets leftImg8bit/ and gtFine/.
        scenes: how many scenes each split has; splits are train, val and test.
        height: rows of every image, 64 to 1024.
        width: columns of every image, 128 to 2048.
        seed: a natural number.

    Raises:
        InputError: the size is out of range.
    """
    train_ids, _ = lookup(LABELS)
    # Opaque, as the original's.
    colors = np.array([(*label.color, 255) for label in LABELS], np.uint8)
    for split, count in scenes.items():
        images = root / "leftImg8bit" / split / "synthetic"
        annotations = root / "gtFine" / split / "synthetic"
        images.mkdir(parents=True, exist_ok=True)
        annotations.mkdir(parents=True, exist_ok=True)
        for index in progress(range(count), desc=f"draw {split}", unit="scene"):
            seeds = [seed, SPLITS.index(split), index]
            image, labels, instances = draw_annotated_scene(height, width, seeds)
            name = f"synthetic_{index:06d}_000000"
            _save(images / f"{name}_leftImg8bit.png", image)
            _save(annotations / f"{name}_gtFine_labelIds.png", labels)
            _save(annotations / f"{name}_gtFine_labelTrainIds.png", train_ids[labels])
            _save(annotations / f"{name}_gtFine_instanceIds.png", instances)
            _save(annotations / f"{name}_gtFine_color.png", colors[labels])


def _save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path, compress_level=1)
