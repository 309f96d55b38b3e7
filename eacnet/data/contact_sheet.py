"""Frames of a dataset on one picture: image, labels in colour, and both over each other."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from eacnet.data.images import UNLISTED, read_image, read_values, resized
from eacnet.data.inspection import Inspection
from eacnet.datasets.labels import trained
from eacnet.datasets.listing import Frame
from eacnet.datasets.record import Reading
from eacnet.lettering import font, shortened

WIDTH, GAP, LINE, LETTERS = 320, 8, 18, 12
MADE_BY = "eacnet inspect"  # written into the file
INK, PAPER = (20, 20, 20), (255, 255, 255)
# Ignored pixels, and those whose value the class table lacks.
IGNORED_COLOUR, UNLISTED_COLOUR = (60, 60, 60), (255, 0, 255)


def contact_sheet(found: Inspection, reading: Reading, number: int) -> Image.Image:
    """Draw `number` frames, evenly spaced over all splits, one a row, and a key of the colours."""
    frames = [(split, frame) for split, survey in found.surveys.items() for frame in survey.frames]
    chosen = np.linspace(0, len(frames) - 1, min(number, len(frames))).round().astype(int)
    rows = [_row(*frames[index], found, reading) for index in chosen]
    rows.append(_key(found))
    sheet = Image.new("RGB", (3 * WIDTH + 4 * GAP, sum(row.height + GAP for row in rows)), PAPER)
    top = GAP // 2
    for row in rows:
        sheet.paste(row, (GAP, top))
        top += row.height + GAP
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a contact sheet as a PNG that is known as one."""
    note = PngInfo()
    note.add_text("Software", MADE_BY)
    sheet.save(path, format="PNG", pnginfo=note)


def is_sheet(path: Path) -> bool:
    """Say whether a file is a contact sheet that was written here."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return image.info.get("Software") == MADE_BY
    except Exception:  # a decoder may stumble over foreign bytes in any way
        return False


def _row(split: str, frame: Frame, found: Inspection, reading: Reading) -> Image.Image:
    image = read_image(frame.image)
    values = read_values(frame.labels, found.table, reading.colours)
    height = min(max(1, round(WIDTH * image.shape[0] / image.shape[1])), 4 * WIDTH)
    image = resized(image, (height, WIDTH))
    # Ids, not colours, are made smaller: nearest, so that no class appears that is not there.
    values = np.asarray(Image.fromarray(values.astype(np.int32)).resize((WIDTH, height), 0))
    painted = _palette(found)[values]
    over = (image // 2 + painted // 2).astype(np.uint8)
    row = Image.new("RGB", (3 * WIDTH + 2 * GAP, height + LINE), PAPER)
    title = shortened(f"{split}: {frame.id}", LETTERS, row.width)
    ImageDraw.Draw(row).text((0, 2), title, INK, font(LETTERS))
    for column, picture in enumerate((image, painted, over)):
        row.paste(Image.fromarray(picture), (column * (WIDTH + GAP), LINE))
    return row


def _palette(found: Inspection) -> np.ndarray:
    """Return the colour of each label id, and of UNLISTED, uint8 (257,3)."""
    palette = np.full((UNLISTED + 1, 3), UNLISTED_COLOUR, np.uint8)
    classes = {label.train_id: label.color for label in trained(found.table)}
    for label in found.table:
        palette[label.id] = classes.get(label.train_id, IGNORED_COLOUR)
    return palette


def _key(found: Inspection) -> Image.Image:
    entries: list[tuple[str, Sequence[int]]] = [
        *((label.name, label.color) for label in trained(found.table)),
        ("ignored", IGNORED_COLOUR),
        ("not in the class table", UNLISTED_COLOUR),
    ]
    columns = 6
    width = (3 * WIDTH + 2 * GAP) // columns
    row = Image.new("RGB", (3 * WIDTH + 2 * GAP, -(-len(entries) // columns) * LINE), PAPER)
    draw = ImageDraw.Draw(row)
    for index, (name, color) in enumerate(entries):
        left, top = index % columns * width, index // columns * LINE
        draw.rectangle((left, top + 2, left + 12, top + 14), tuple(color), INK)
        name = shortened(name, LETTERS, width - 26)
        draw.text((left + 18, top + 1), name, INK, font(LETTERS))
    return row
