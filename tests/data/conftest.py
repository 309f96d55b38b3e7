from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIZE = (12, 20)


@pytest.fixture
def camvid(tmp_path) -> Path:
    """A dataset in SegNet's layout: 3 frames of 12x20 in each split, labels 0..11."""
    root = tmp_path / "camvid"
    random = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for folder in (split, f"{split}annot"):
            (root / folder).mkdir(parents=True)
        for index in range(3):
            image = random.integers(256, size=(*SIZE, 3), dtype=np.uint8)
            labels = random.integers(12, size=SIZE, dtype=np.uint8)
            Image.fromarray(image).save(root / split / f"{index}.png")
            Image.fromarray(labels).save(root / f"{split}annot" / f"{index}.png")
    return root


@pytest.fixture
def pixels() -> Callable[[Path], np.ndarray]:
    return lambda path: np.asarray(Image.open(path))
