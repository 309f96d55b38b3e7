"""What a predictor takes: 8-bit RGB images, checked with one clear line each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from eacnet.errors import InputError


def check_image(image: Any, where: str = "the image") -> np.ndarray:
    """Return `image` if it is a uint8 array (H,W,3).

    Raises:
        InputError: it is greyscale, has an alpha channel, holds other colours than RGB, is no 8-bit
            image, or no image at all; the message says how to convert it.
    """
    # A mapped array has a mode, too.
    mode = None if isinstance(image, np.ndarray) else getattr(image, "mode", None)
    if isinstance(mode, str) and mode != "RGB":
        raise InputError(
            f"{where} is a Pillow image of mode {mode}; the network takes RGB: pass "
            "image.convert('RGB')"
        )
    if np.ma.is_masked(image):
        raise InputError(f"{where} has masked pixels; fill them: pass image.filled()")
    array = np.asarray(image)
    if array.dtype == np.uint16:
        raise InputError(
            f"{where} has 16 bits a channel; the network takes 8: pass (image >> 8).astype('uint8')"
        )
    if array.dtype != np.uint8:
        raise InputError(
            f"{where} is {array.dtype}, not uint8; the network takes plain RGB values from 0 to "
            "255, the predictor subtracts the mean itself"
        )
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1):
        raise InputError(
            f"{where} is greyscale ({_shape(array)}); the network takes RGB: open it with Pillow "
            "and .convert('RGB')"
        )
    if array.ndim == 3 and array.shape[2] == 4:
        raise InputError(
            f"{where} has an alpha channel ({_shape(array)}); the network takes RGB: pass "
            "image[..., :3]"
        )
    if array.ndim != 3 or array.shape[2] != 3:
        raise InputError(
            f"{where} has shape {_shape(array)}; expected height x width x 3, channels last"
        )
    return array


def check_batch(images: np.ndarray) -> None:
    """Check that an array (B,H,W,3) holds images, or could.

    Raises:
        InputError: as in `check_image`.
    """
    if np.ma.is_masked(images):
        raise InputError("a batch's image has masked pixels; fill them: pass images.filled()")
    check_image(images[0] if len(images) else images.sum(0, images.dtype), "a batch's image")


def is_batch(images: Any) -> bool:
    """Say whether `images` is one array of several images, (B,H,W,3)."""
    return isinstance(images, np.ndarray) and images.ndim == 4


def is_sequence(images: Any) -> bool:
    """Say whether `images` is a sequence of images, which may differ in size."""
    return isinstance(images, Sequence) and not isinstance(images, str | bytes)


def _shape(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape))
