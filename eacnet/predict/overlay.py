"""Predictions as pictures: a label map with a palette, colours over the image, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from eacnet.errors import InputError
from eacnet.files import replacing
from eacnet.lettering import font, shortened
from eacnet.predict.results import IDS, MADE_BY

# How much of the class colour covers the image: both classes and what is in them stay visible.
OPACITY = 0.5
EDGE = (255, 255, 255)
# One pixel of edge line for so many pixels of the shorter side.
PIXELS_PER_LINE = 480
GAP = 8
INK, PAPER = (20, 20, 20), (255, 255, 255)
LONGEST = 65_500  # pixels on a side of a JPEG, in libjpeg


def save_label_map(labels: np.ndarray, colors: np.ndarray, path: Path) -> None:
    """Write class ids uint8 (H,W) as a PNG whose palette shows the classes' colours (K,3)."""
    image = Image.fromarray(labels)
    image.putpalette(colors.astype(np.uint8).tobytes())
    note = PngInfo()
    note.add_text("ids", IDS)
    with replacing(path) as temporary:
        image.save(temporary, format="PNG", pnginfo=note)


def check_picture(picture: np.ndarray, path: Path) -> None:
    """Refuse a picture (H,W,3) that is too large for a JPEG.

    Raises:
        InputError: names the picture.
    """
    height, width = picture.shape[:2]
    if max(height, width) > LONGEST:
        raise InputError(
            f"{path} would be {width}x{height} pixels, and a JPEG has at most {LONGEST} a side;"
            " cut the image into parts"
        )


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Write a picture uint8 (H,W,3) as a JPEG that keeps colours sharp at class edges."""
    with replacing(path) as temporary:
        Image.fromarray(picture).save(
            temporary, format="JPEG", quality=92, subsampling=0, comment=MADE_BY
        )


def overlay(image: np.ndarray, labels: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Lay the classes' colours over an image, with a white line between classes.

    Args:
        image: uint8 (H,W,3).
        labels: class ids, uint8 (H,W).
        colors: uint8 (K,3).

    Returns:
        uint8 (H,W,3).
    """
    painted = Image.fromarray(colors.astype(np.uint8)[labels])
    mixed = np.array(Image.blend(Image.fromarray(image), painted, OPACITY))
    mixed[edge_lines(labels)] = EDGE
    return mixed


def edge_lines(labels: np.ndarray) -> np.ndarray:
    """Mark the lines between classes, thicker on larger images: (H,W) -> bool (H,W)."""
    thickness = max(1, round(min(labels.shape) / PIXELS_PER_LINE))
    lines = np.zeros(labels.shape, bool)
    across = labels[:, 1:] != labels[:, :-1]
    down = labels[1:] != labels[:-1]
    for step in range(thickness):
        # Pixels before and after the edge in turn, so that the line stays on it.
        shift = (step + 1) // 2 * (1 if step % 2 else -1)
        _mark(lines, across, shift, axis=1)
        _mark(lines, down, shift, axis=0)
    return lines


def side_by_side(image: np.ndarray, overlaid: np.ndarray, legend: np.ndarray) -> np.ndarray:
    """Put an image (H,W,3) and its overlay beside each other, over a legend (h,2W+GAP,3)."""
    gap = np.full((len(image), GAP, 3), PAPER, np.uint8)
    return np.concatenate([np.concatenate([image, gap, overlaid], axis=1), legend])


def draw_legend(classes: Sequence[dict[str, Any]], width: int) -> np.ndarray:
    """Draw each class's colour and name, in as many lines as `width` needs: uint8 (h,width,3).

    Args:
        classes: one {"name", "color"} a class.
        width: in pixels.
    """
    size = max(11, min(28, width // 55))
    letters = font(size)
    widest = width - 4 * size
    names = [shortened(entry["name"], size, widest) for entry in classes]
    step = 3.2 * size + max(map(letters.getlength, names))
    per_line = max(1, min(len(classes), int((width - size) // step)))
    lines = -(-len(classes) // per_line)
    # As many in each line, as far as that goes.
    per_line = -(-len(classes) // lines)
    line = round(1.7 * size)
    sheet = Image.new("RGB", (width, lines * line + size), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (entry, name) in enumerate(zip(classes, names, strict=True)):
        x = size / 2 + index % per_line * step
        y = size / 2 + (index // per_line + 0.5) * line
        box = (x, y - size / 2, x + 1.4 * size, y + size / 2)
        draw.rectangle(box, fill=tuple(entry["color"]), outline=INK)
        draw.text((x + 1.8 * size, y), name, fill=INK, font=letters, anchor="lm")
    return np.array(sheet)


def _mark(lines: np.ndarray, edges: np.ndarray, shift: int, axis: int) -> None:
    """Mark `edges`, one shorter than `lines` along `axis`, moved by `shift` pixels along it."""
    lines, edges = np.moveaxis(lines, axis, 0), np.moveaxis(edges, axis, 0)
    start = max(shift, 0)
    stop = min(len(edges) + shift, len(lines))
    if stop > start:
        lines[start:stop] |= edges[start - shift : stop - shift]
