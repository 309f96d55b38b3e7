"""Image files and label files of a dataset, decoded."""

from pathlib import Path

import numpy as np
from PIL import Image

from eacnet.errors import InputError


def image_size(path: Path) -> tuple[int, int]:
    """Return (height, width) in pixels from the file's header, without decoding it."""
    try:
        with Image.open(path) as file:
            return file.height, file.width
    except Exception as error:  # of a hostile file, Pillow's readers can raise anything
        raise _unreadable(path, error) from None


def decode(path: Path) -> Image.Image:
    """Decode an image file as it is, in whatever mode.

    Raises:
        InputError: the file is unreadable or truncated.
    """
    try:
        with Image.open(path) as file:
            file.load()
            return file
    except MemoryError:
        raise
    except Exception as error:  # see above
        raise _unreadable(path, error) from None


def read_image(path: Path) -> np.ndarray:
    """Decode an image, uint8 (H,W,3) RGB.

    Raises:
        InputError: the file is unreadable or truncated, or holds more than 8 bits a channel.
    """
    pixels = decode(path)
    if pixels.mode not in ("RGB", "RGBA", "L", "P"):
        raise InputError(f"{path} is a {pixels.mode} image; convert it to 8-bit RGB")
    return np.asarray(pixels.convert("RGB"))


def read_labels(path: Path, train_ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Decode a label file and map its ids to train ids, uint8 (H,W).

    Args:
        path: a PNG with one channel of 8 bits.
        train_ids: uint8 (256,), label id -> train id.
        known: bool (256,), ids that the class table lists.

    Raises:
        InputError: the file is unreadable or truncated, has several channels, or holds an id that
            the class table does not list.
    """
    pixels = decode(path)
    if pixels.mode not in ("L", "P", "1"):
        raise InputError(f"{path} is a {pixels.mode} image; labels need one channel of 8 bits")
    ids = np.asarray(pixels if pixels.mode != "1" else pixels.convert("L"), dtype=np.uint8)
    unknown = np.flatnonzero(np.bincount(ids.ravel(), minlength=256).astype(bool) & ~known)
    if unknown.size:
        row, column = np.argwhere(ids == unknown[0])[0]
        raise InputError(
            f"{path} holds label id {unknown[0]} at row {row}, column {column}, "
            "which the class table does not list; correct the file or the table"
        )
    return train_ids[ids]


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path} can't be read as an image ({reason}); replace the file")
