"""From an image of any size to its label map, timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eacnet.data.images import resized


@dataclass(frozen=True)
class Segmentation:
    """A label map of an image.

    Attributes:
        labels: class ids, uint8 (H,W), at the image's own size.
        latency_ms: from the image in memory to its label map, resizing included.
        warm: whether an image of this size was predicted before; the first one also pays for
            memory, for the choice of algorithms and, in some runtimes, for compiling.
    """

    labels: np.ndarray
    latency_ms: float
    warm: bool


class Segmenter:
    """Predicts images with `predict`: uint8 (H,W,3) -> class ids uint8 (H,W).

    Args:
        predict: an eacnet.Predictor.
        size: (height, width) at which images are predicted; None: each at its own.
    """

    def __init__(
        self, predict: Callable[[np.ndarray], np.ndarray], size: tuple[int, int] | None
    ) -> None:
        self._predict = predict
        self._size = size
        self._seen: set[tuple[int, int]] = set()

    def __call__(self, pixels: np.ndarray) -> Segmentation:
        """Predict an image uint8 (H,W,3).

        Raises:
            InputError: the image is too small for the network, or too large for the memory.
        """
        height, width = pixels.shape[:2]
        size = self._size or (height, width)
        start = time.perf_counter()
        labels = self._predict(resized(pixels, size))
        labels = resized(labels, (height, width), nearest=True)
        elapsed = 1000 * (time.perf_counter() - start)
        warm = (height, width) in self._seen
        self._seen.add((height, width))
        return Segmentation(labels, elapsed, warm)
