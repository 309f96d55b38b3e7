"""Files that lack pixels, where Pillow leaves zeros or takes foreign bytes and says nothing."""

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

# TIFF's tags, by its specification.
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANES = 256, 257, 258, 259, 277, 284
# How it is cut into pieces: the tags of where each starts, its bytes, and its rows.
_STRIPS, _TILES = (273, 279, 278), (324, 325, 323)
_TILE_WIDTH = 322

# JPEG's marks by their second byte. In the data of a scan only zeros and restarts follow 0xFF.
_MARK = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_END, _JPEG_BARE = 0xD9, (0x01, 0xD8)
# Chunks that may turn the picture, wherever they stand: EXIF, and the text in which it may lie.
_LATE_PNG = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column and row of each pass, and the steps to the next.
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def check_tiff(path: Path, file: Image.Image) -> None:
    """Check that the tables of an opened uncompressed TIFF place all its pixels within the file.

    Pillow reads on from where a strip starts, whatever its length. Compressed ones are libtiff's,
    which refuses those that end early, but for CCITT's.

    Raises:
        ValueError: pixels are missing.
    """
    tags = file.tag_v2
    if tags.get(_COMPRESSION, 1) != 1:
        return
    kind, keys = ("strip", _STRIPS) if _STRIPS[0] in tags else ("tile", _TILES)
    offsets, counts, rows = (tags.get(key) for key in keys)
    width, height, samples = tags[_WIDTH], tags[_HEIGHT], tags.get(_SAMPLES, 1)
    across = width if kind == "strip" else tags[_TILE_WIDTH]
    rows = min(rows or height, height)
    depths = tags.get(_BITS, (1,))
    depths = depths * samples if len(depths) == 1 else depths[:samples]
    planes = depths if tags.get(_PLANES, 1) == 2 else (sum(depths),)
    expected = len(planes) * -(-height // rows) * -(-width // across)
    if not len(offsets) == len(counts or offsets) == expected:
        raise ValueError(f"it is damaged: its tables name {len(offsets)} of {expected} {kind}s")
    needs = [
        -(-across * depth // 8) * min(rows, height - top)
        for depth in planes
        for top in range(0, height, rows)
        for _ in range(0, width, across)
    ]
    end = path.stat().st_size
    # Old writers leave the counts out.
    pieces = zip(offsets, counts or needs, needs, strict=True)
    for number, (offset, count, need) in enumerate(pieces, 1):
        if not (offset > 0 and need <= count <= end - offset):
            raise ValueError(f"it is damaged: {kind} {number} of {expected} lacks pixels")


def check_jpeg(path: Path, _file: Image.Image) -> None:
    """Check that a JPEG goes on to its end: a tail of zeros is decoded as if it were pixels.

    Raises:
        ValueError: it ends before the mark of its end.
    """
    content = path.read_bytes()
    place = 2
    while mark := _MARK.search(content, place):
        if mark[0][1] == _JPEG_END:
            return
        length = content[mark.end() : mark.end() + 2]
        place = mark.end() + (int.from_bytes(length) if mark[0][1] not in _JPEG_BARE else 0)
    raise ValueError("it is damaged: it breaks off before its end")


def check_ppm(path: Path, file: Image.Image) -> None:
    """Check that a PPM or PGM holds one image: Pillow takes the first of several.

    Raises:
        ValueError: another one follows.
    """
    content = path.read_bytes()
    kind, *numbers = re.sub(rb"#[^\r\n]*", b"", content[: file.tile[0].offset]).split()
    if kind not in (b"P4", b"P5", b"P6"):
        return  # as text, or with other fields
    width, height, most = (*map(int, numbers), 1)[:3]
    row = (
        -(-width // 8) if kind == b"P4" else width * {b"P5": 1, b"P6": 3}[kind] * (1 + (most > 255))
    )
    if content[file.tile[0].offset + row * height :].lstrip()[:1] == b"P":
        raise ValueError("it holds several images; save each as a file of its own")


def check_png(path: Path, file: Image.Image) -> None:
    """Check that the data of a decoded PNG are those that were written, and all of them.

    Pillow does not look at the checksums of pixels, and takes a stream that ends after any whole
    row. What it did not decode is zero, so mostly the last row tells; to inflate everything once
    more takes a third of the decoding.

    Raises:
        ValueError: pixels are missing, or others than were written.
    """
    content = path.read_bytes()
    chunks = list(_chunks(content))
    pixels = [index for index, (name, *_) in enumerate(chunks) if name == b"IDAT"]
    for index, (name, data, checksum) in enumerate(chunks):
        if index > pixels[-1] and name not in _LATE_PNG:
            continue  # what follows the pixels changes none
        if zlib.crc32(data, zlib.crc32(name)) != checksum:
            raise ValueError(f"it is damaged: the checksum of chunk {name!r} is wrong")
    last = file.crop((0, file.height - 1, *file.size))
    if np.asarray(last).any() and not file.info.get("interlace"):
        return
    needed = found = 0
    inflater = zlib.decompressobj()
    for name, data, _ in chunks:
        if name == b"IHDR":
            needed = _inflated_size(*struct.unpack_from(">IIBBxxB", data))
        elif name == b"IDAT" and found < needed:
            found += len(inflater.decompress(data, needed - found))
    if found < needed:
        raise ValueError(f"it is damaged: it holds {found} of {needed} bytes of pixels")


def _chunks(content: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Yield the name of each chunk, its data and the checksum that stands behind them."""
    place, view = 8, memoryview(content)
    while place + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        yield name, view[place + 8 : end], int.from_bytes(view[end : end + 4])
        place = end + 4


def _inflated_size(width: int, height: int, bits: int, kind: int, interlaced: int) -> int:
    """Return the bytes of a PNG's rows, each of which begins with the number of its filter."""
    size = 0
    for left, top, right, down in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = len(range(left, width, right)), len(range(top, height, down))
        if columns:
            size += rows * (1 + -(-columns * bits * _PNG_CHANNELS[kind] // 8))
    return size
