"""Forms of image files that Pillow reads otherwise than they are meant."""

from pathlib import Path

import numpy as np
from PIL import Image

from eacnet.errors import InputError

DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
# Of a TIFF's compressions, by tag 259, those that keep ids: none, LZW, Deflate (twice), PackBits,
# LZMA, ZSTD.
_LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)
_FAX = (2, 3, 4, 32771)


def check_form(path: Path, file: Image.Image, stored: str, labels: bool) -> None:
    """Refuse the forms of which Pillow is known to read other values than the file holds.

    Args:
        path: where it lies, for the message.
        file: opened, not yet decoded.
        stored: how it stores its pixels, as Pillow's raw mode.
        labels: its values are ids or colours of a table, which a lossy compression changes.

    Raises:
        InputError: it has such a form.
    """
    if file.format == "BMP" and file.tile[0].codec_name == "bmp_rle":
        # Where a run ends is told from its place in the file, and jumps leave zeros.
        raise InputError(
            f"{path} is a run-length encoded BMP, of which pixels may be misread; save it as PNG"
        )
    if file.format == "BMP" and stored in ("1", "L") and file.tile[0].codec_name == "raw":
        with path.open("rb") as bytes_:
            header = bytes_.read(30)
        bits = header[24 if header[14] == 12 else 28]  # OS/2's short header has short sides
        what, assumed = ("black and white", 1) if stored == "1" else ("grey", 8)
        if bits != assumed:
            raise InputError(
                f"{path} is a BMP of {what} by {bits} bits a pixel, which is read"
                f" as if it had {assumed}; save it as PNG"
            )
    if file.format != "TIFF":
        return
    tags = file.tag_v2
    if tags.get(259, 1) in _FAX:
        raise InputError(
            f"{path} is a TIFF in fax compression ({file.info['compression']}), whose damage "
            "can't be told; save it as PNG"
        )
    if labels and tags.get(259, 1) not in _LOSSLESS:
        raise InputError(
            f"{path} is a TIFF of lossy compression ({file.info['compression']}), which changes "
            "labels; make them anew from their source, as PNG"
        )
    if 2 in tags.get(339, ()) and max(tags.get(258, (1,))) <= 8:
        raise InputError(
            f"{path} is a TIFF of signed integers of 8 bits, which are read as if they had no sign;"
            " save it as PNG"
        )
    if tags.get(262) == 0 and stored in (*DEEP_GREY, "I;12"):
        raise InputError(f"{path} is a TIFF of over 8 bits in which 0 is white; save it as PNG")
    # Of separate planes Pillow forgets how many bits they have, their order and what is white.
    plain = stored == "1" or set(tags.get(258, (1,))) == {8}
    kept = plain and tags.get(262) != 0 and tags.get(266, 1) == 1
    if tags.get(284) == 2 and (file.mode == "LA" or (tags.get(259, 1) == 1 and not kept)):
        raise InputError(
            f"{path} is a TIFF of separate planes in a form that is read as another; save it as PNG"
        )


def in_colour(path: Path, image: Image.Image) -> np.ndarray:
    """Return a decoded image of 8 bits a channel, or of a palette, as RGB, uint8 (H,W,3).

    Raises:
        InputError: a pixel's colour is missing in the palette; Pillow would take black.
    """
    if image.mode == "P":
        indices, colours = np.asarray(image), len(image.getpalette()) // 3
        if indices.max() >= colours:
            raise InputError(
                f"{path} is damaged: it holds colour {indices.max()} of a palette of {colours}"
            )
    return np.array(image.convert("RGB"))
