"""Image files and label files, decoded: the one reader of training and of prediction."""

import stat
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from eacnet.data.damage import check_jpeg, check_png, check_ppm, check_tiff
from eacnet.data.forms import DEEP_GREY, check_form, in_colour
from eacnet.datasets.labels import Label, lookup
from eacnet.errors import InputError

# Content alone decides which parser of Pillow's runs: of all it has, these.
IMAGES = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")
LABELS = ("PNG", "BMP", "TIFF")
UNLISTED = 256
# Of damaged EXIF it tells in two lines of its own, amid a progress bar; the pixels are whole.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")

# 8 bits a channel, with colours that Pillow turns into RGB as they are.
_PLAIN = ("RGB", "L", "P", "1", "CMYK", "YCbCr", "RGBX")
_TRANSPARENT = ("RGBA", "LA", "PA", "La", "RGBa")
# How a file stores one channel -> what Pillow multiplies its values by, so that white is 255.
_STORED = {"1": 1, "L": 1, "L;2": 85, "L;4": 17, "P": 1, "P;1": 1, "P;2": 1, "P;4": 1}
_STORED |= dict.fromkeys((*DEEP_GREY, "I;12"), 1)
# How a file stores 8 bits a channel, or a palette: its colours are those of the table, exactly.
_COLOURS = ("RGB", "BGR", "BGRX", "R", "P", "P;1", "P;2", "P;4")
# Forms in which a transparent colour is found again after decoding.
_NAMES_TRANSPARENT = ("1", "L", "P", "P;1", "P;2", "P;4", "RGB")
_BEFORE = {"TIFF": check_tiff, "JPEG": check_jpeg, "MPO": check_jpeg, "PPM": check_ppm}
# A PGM of over 8 bits is scaled to 16 by Pillow, in an image of 32.
_DEEP_PGM = ("I;16B", "L")


def read_image(path: Path) -> np.ndarray:
    """Read an image file, turned upright by its EXIF orientation.

    Grey images become RGB of three equal channels; transparent pixels are laid on white, as viewers
    show them. Of 16 bits the upper 8 are kept, so that the full range stays the full range. Colour
    profiles are not applied.

    Returns:
        uint8 (H,W,3), RGB.

    Raises:
        InputError: the file is unreadable, no regular file, holds several pages, or has pixels
            whose white is not defined (32-bit integers, floating point).
    """
    image, stored = _decode(path, IMAGES)
    if "transparency" in image.info and stored not in _NAMES_TRANSPARENT:
        raise InputError(
            f"{path} names a transparent colour ({stored}), which 8 bits can't tell from its "
            "neighbours; save it with an alpha channel"
        )
    if image.mode in DEEP_GREY or (image.mode == "I" and stored in _DEEP_PGM):
        unused = 4 if stored == "I;12" else 8
        image = Image.fromarray((np.asarray(image) >> unused).astype(np.uint8))
    elif image.mode in _TRANSPARENT or "transparency" in image.info:
        image = image.convert("LA") if image.mode == "La" else image
        image = on_white(image.convert("RGBA"))
    elif image.mode not in _PLAIN:
        raise InputError(
            f"{path} is an image of mode {image.mode}, in which white is not defined; "
            "convert it to 8 or 16 bits a channel"
        )
    return in_colour(path, image)


def on_white(image: Image.Image) -> Image.Image:
    """Lay an image of mode RGBA on white; it stays RGBA."""
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def read_ids(path: Path) -> np.ndarray:
    """Read a label file's ids as they are stored, uint8 (H,W), by whatever number of bits.

    Raises:
        InputError: the file is unreadable, has several channels, or holds an id above 255.
    """
    image, stored = _decode(path, LABELS)
    if stored not in _STORED:
        raise InputError(
            f"{path} is a {image.mode} image ({stored}); labels need one channel that holds ids of "
            "at most 8 bits: save it as a grey or palette PNG"
        )
    ids = np.asarray(image)
    if ids.max() > 255:
        raise InputError(f"{path} holds label id {ids.max()}; ids are 0 to 255")
    ids, factor = ids.astype(np.uint8), _STORED[stored]
    return ids if factor == 1 else ids // factor


def read_instances(path: Path) -> np.ndarray:
    """Read the ids of an instance file, uint16 (H,W).

    Raises:
        InputError: the file is unreadable, or has not one channel of 8 or 16 bits.
    """
    image, stored = _decode(path, LABELS)
    ids = np.asarray(image)
    if stored not in (*DEEP_GREY, "L"):
        raise InputError(f"{path} is a {image.mode} image ({stored}), no instance file of 16 bits")
    return ids.astype(np.uint16)


def read_labels(path: Path, table: tuple[Label, ...], colours: bool = False) -> np.ndarray:
    """Read a label file and map it to train ids, uint8 (H,W).

    Args:
        path: an image of one channel that holds ids, or with `colours` an RGB one.
        table: what the ids, or the colours, mean.
        colours: the file shows colours of the table.

    Raises:
        InputError: the file is unreadable, or holds a value that the table does not list.
    """
    values = read_values(path, table, colours)
    train_ids, known = lookup(table)
    unknown = ~np.append(known, False)[values]
    if unknown.any():
        row, column = np.argwhere(unknown)[0]
        what = f"label id {values[row, column]}"
        if colours:
            what = f"the colour {_colours(path)[row, column].tolist()}"
        raise InputError(
            f"{path} holds {what} at row {row}, column {column}, "
            "which the class table does not list; correct the file or the table"
        )
    return train_ids[values]


def read_values(path: Path, table: tuple[Label, ...], colours: bool = False) -> np.ndarray:
    """Read a label file as it is, whether the table lists what it holds or not.

    Returns:
        The label id of each pixel, uint8 (H,W); with `colours` int64, and UNLISTED for a colour
        that the table lacks.

    Raises:
        InputError: the file is unreadable or no label file.
    """
    if not colours:
        return read_ids(path)
    codes = _code(np.array([label.color for label in table]))
    order = np.argsort(codes)
    found = _code(_colours(path))
    place = np.searchsorted(codes[order], found).clip(max=len(codes) - 1)
    ids = np.array([label.id for label in table])[order]
    return np.where(codes[order][place] == found, ids[place], UNLISTED)


def _colours(path: Path) -> np.ndarray:
    image, stored = _decode(path, LABELS)
    if stored not in _COLOURS or "transparency" in image.info:
        raise InputError(
            f"{path} is a {image.mode} image ({stored}); labels in colour need plain RGB of 8 bits"
        )
    return in_colour(path, image)


def _code(colours: np.ndarray) -> np.ndarray:
    """Return one number for each RGB colour (...,3)."""
    return colours.astype(np.int64) @ np.array([65536, 256, 1])


def resized(pixels: np.ndarray, size: tuple[int, int], nearest: bool = False) -> np.ndarray:
    """Scale an image (H,W,3), or with `nearest` a label map (H,W), to `size` (height, width)."""
    if pixels.shape[:2] == size:
        return pixels
    how = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], how))


def _decode(path: Path, formats: tuple[str, ...]) -> tuple[Image.Image, str]:
    """Decode a file of one page; return it upright, and how the file stores its pixels.

    Raises:
        InputError: it is no regular file, of no allowed format, damaged, too large, or of several
            pages.
    """
    try:
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError("it is no regular file")
        # From a name, Pillow would map the pixels of a TIFF by the sides that it has once upright.
        with path.open("rb") as content, Image.open(content, formats=formats) as file:
            pages = getattr(file, "n_frames", 1)
            stored = _stored(file)
            check_form(path, file, stored, formats is LABELS)
            if check := _BEFORE.get(file.format):
                check(path, file)
            file.load()
            if file.format == "PNG":
                check_png(path, file)
            image = ImageOps.exif_transpose(file)
    except (MemoryError, InputError):
        raise
    except UnidentifiedImageError:
        reason = f"it is damaged, or in none of the formats {', '.join(formats)}"
        raise InputError(f"{path} can't be read as an image ({reason}); replace the file") from None
    except Exception as error:  # a decoder may stumble over foreign bytes in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path} can't be read as an image ({reason}); replace the file") from None
    # A phone's MPO holds further views of the one photo.
    if pages > 1 and file.format != "MPO":
        raise InputError(f"{path} holds {pages} pages; save each as an image of its own")
    return image, stored


def _stored(file: Image.Image) -> str:
    """Return how an opened file stores its pixels, in Pillow's terms of raw modes."""
    how = file.tile[0].args if file.tile else ()
    return how if isinstance(how, str) else how[0] if how else file.mode
