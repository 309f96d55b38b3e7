"""Photos as they come from cameras and phones, turned into what a network takes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from eacnet.data.images import decode
from eacnet.errors import InputError

# 8 bits a channel, with colours that Pillow turns into RGB as they are.
_PLAIN = ("RGB", "L", "P", "1", "CMYK", "YCbCr", "RGBX")
_TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")


def read_photo(path: Path) -> np.ndarray:
    """Read an image file, turned upright by its EXIF orientation.

    Grey images become RGB of three equal channels; transparent pixels are laid on white, as viewers
    show them. Of 16 bits the upper 8 are kept, so that the full range stays the full range.

    Returns:
        uint8 (H,W,3), RGB.

    Raises:
        InputError: the file is unreadable, holds several pages, or has pixels whose white is not
            defined (32-bit integers, floating point).
    """
    image = decode(path)
    with Image.open(path) as file:
        pages = getattr(file, "n_frames", 1)
    # A phone's MPO holds further views of the one photo.
    if pages > 1 and image.format != "MPO":
        raise InputError(f"{path} holds {pages} pages; save each as an image of its own")
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP_GREY:
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in _TRANSPARENT or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode not in _PLAIN:
        raise InputError(
            f"{path} is an image of mode {image.mode}, in which white is not defined; "
            "convert it to 8 or 16 bits a channel"
        )
    return np.array(image.convert("RGB"))


def resized(pixels: np.ndarray, size: tuple[int, int], nearest: bool = False) -> np.ndarray:
    """Scale an image (H,W,3), or with `nearest` a label map (H,W), to `size` (height, width)."""
    if pixels.shape[:2] == size:
        return pixels
    how = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], how))
