"""Image files in forms that a decoder reads otherwise than they are meant."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from eacnet.data.images import read_ids, read_image, read_instances, read_labels
from eacnet.datasets.labels import Label
from eacnet.errors import InputError


def write_bmp(path, ids, palette, bits, short=False):
    """Write an uncompressed BMP of a palette by its specification; `short` has OS/2's header."""
    rows = b""
    for row in ids[::-1]:
        stored = "".join(format(value, f"0{bits}b") for value in row)
        stored += "0" * (-len(stored) % 32)
        rows += int(stored, 2).to_bytes(len(stored) // 8, "big")
    height, width = np.shape(ids)
    if short:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
        full = [*palette, *[(0, 0, 0)] * (2**bits - len(palette))]
        colours = b"".join(bytes(color[::-1]) for color in full)
    else:
        sizes = (len(rows), 0, 0, len(palette), 0)
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, *sizes)
        colours = b"".join(bytes((*color[::-1], 0)) for color in palette)
    start = 14 + len(header) + len(colours)
    file = struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start)
    path.write_bytes(file + header + colours + rows)


def write_tiff(path, bits, values, white_is_zero=False, alpha=None):
    """Write a TIFF of one row by its specification, with one channel or a second one of alpha."""
    if bits == 16:
        data = struct.pack(f"<{len(values)}H", *values)
    else:
        stored = "".join(format(value, f"0{bits}b") for value in values)
        data = int(stored, 2).to_bytes(len(stored) // 8, "big")
    channels = 1 if alpha is None else 2
    width = len(values) // channels
    place = 8 + 2 + 12 * (8 + channels) + 4
    tags = [(256, width), (257, 1), (258, bits), (259, 1), (262, 0 if white_is_zero else 1)]
    tags += [(273, place), (277, channels), (278, 1), (279, len(data))]
    tags += [(338, alpha)] if alpha else []
    content = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    for tag, value in tags:
        pair = (value, value) if tag == 258 and channels == 2 else (value, 0)
        content += struct.pack("<HHIHH", tag, 3, channels if tag == 258 else 1, *pair)
    path.write_bytes(content + bytes(4) + data)


def write_png(path, kind, bits, row, transparent, palette=None):
    """Write a PNG of one row, with a transparent colour: kind 0 is grey, 2 RGB, 3 a palette."""
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", 2, 1, bits, kind, 0, 0, 0),
        **({b"PLTE": palette} if palette else {}),
        **({b"tRNS": transparent} if transparent else {}),
        b"IDAT": zlib.compress(b"\0" + row),
        b"IEND": b"",
    }
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks.items()
        )
    )


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_a_bmp_of_black_and_white(tmp_path, bits, short):
    ids, path = np.arange(64).reshape(4, 16) // 3 % 2, tmp_path / "x.bmp"
    write_bmp(path, ids.tolist(), [(0, 0, 0), (255, 255, 255)], bits, short)
    if bits == 1 or short:
        np.testing.assert_array_equal(read_ids(path), ids)
        np.testing.assert_array_equal(read_image(path)[..., 0], 255 * ids)
        return
    for read in (read_ids, read_image):
        with pytest.raises(InputError, match=f"black and white by {bits} bits a pixel"):
            read(path)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_bmp_of_other_colours(tmp_path, bits):
    ids = np.arange(64).reshape(4, 16) % 3
    write_bmp(tmp_path / "x.bmp", ids.tolist(), [(0, 0, 0), (255, 0, 0), (9, 8, 7)], bits)
    np.testing.assert_array_equal(read_ids(tmp_path / "x.bmp"), ids)
    assert read_image(tmp_path / "x.bmp")[0, :3].tolist() == [[0, 0, 0], [255, 0, 0], [9, 8, 7]]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 16])
@pytest.mark.parametrize("colours", [3, 16])
@pytest.mark.parametrize("short", [False, True])
def test_a_grey_bmp_of_4_bits_is_refused(tmp_path, width, colours, short):
    ids = (np.arange(2 * width).reshape(2, width) % 3).tolist()
    write_bmp(tmp_path / "x.bmp", ids, [(i, i, i) for i in range(colours)], 4, short)
    if short and colours == 3:  # the other colours, of which none is grey, are there as well
        assert read_ids(tmp_path / "x.bmp").tolist() == ids
        return
    for read in (read_ids, read_image):
        with pytest.raises(InputError, match=r"x.bmp is a BMP of grey by 4 bits .* save it as PNG"):
            read(tmp_path / "x.bmp")


def test_of_12_bits_the_upper_8_are_kept_and_ids_are_as_stored(tmp_path):
    write_tiff(tmp_path / "x.tif", 12, [0, 1024, 2048, 4095])
    assert read_image(tmp_path / "x.tif")[0, :, 0].tolist() == [0, 64, 128, 255]
    write_tiff(tmp_path / "x.tif", 12, [0, 1, 2, 3])
    assert read_ids(tmp_path / "x.tif").tolist() == [[0, 1, 2, 3]]


def test_a_tiff_in_which_0_is_white(tmp_path):
    write_tiff(tmp_path / "x.tif", 8, [0, 64, 128, 255], white_is_zero=True)
    assert read_image(tmp_path / "x.tif")[0, :, 0].tolist() == [255, 191, 127, 0]
    write_tiff(tmp_path / "x.tif", 16, [0, 1, 2, 3], white_is_zero=True)
    for read in (read_ids, read_image, read_instances):
        with pytest.raises(InputError, match="in which 0 is white"):
            read(tmp_path / "x.tif")


@pytest.mark.parametrize("alpha", [1, 2])
def test_a_grey_tiff_with_alpha(tmp_path, alpha):
    # 1: the grey value is multiplied by alpha already; 2: it is not.
    write_tiff(tmp_path / "x.tif", 8, [0, 0, 102, 204], alpha=alpha)
    grey = 102 if alpha == 1 else 102 * 204 / 255
    found = read_image(tmp_path / "x.tif")[0, :, 0].tolist()
    assert found == pytest.approx([255, grey + 51], abs=1)


@pytest.mark.parametrize(
    ("kind", "bits", "row", "transparent"),
    [
        (0, 4, b"\x5f", b"\0\5"),
        (0, 16, b"\0\0\x9c\x40", b"\0\0"),
        (2, 16, b"\x12\x34" * 3 + b"\1" * 6, b"\x12\x34" * 3),
    ],
)
def test_a_transparent_colour_that_decoding_would_lose(tmp_path, kind, bits, row, transparent):
    write_png(tmp_path / "x.png", kind, bits, row, transparent)
    with pytest.raises(InputError, match="names a transparent colour"):
        read_image(tmp_path / "x.png")


@pytest.mark.parametrize(
    ("kind", "bits", "row", "transparent", "expected"),
    [
        (0, 1, b"\x40", b"\0\0", [255, 255]),
        (0, 8, b"\x07\xc8", b"\0\7", [255, 200]),
        (2, 8, b"\7\7\7\xc8\xc8\xc8", b"\0\7" * 3, [255, 200]),
    ],
)
def test_a_transparent_colour_that_decoding_keeps(tmp_path, kind, bits, row, transparent, expected):
    write_png(tmp_path / "x.png", kind, bits, row, transparent)
    assert read_image(tmp_path / "x.png")[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("most", "values", "expected"), [(65535, (0, 65535), [0, 255]), (1023, (0, 1023), [0, 255])]
)
def test_a_pgm_of_over_8_bits(tmp_path, most, values, expected):
    head = f"P5 2 1 {most}\n".encode()
    (tmp_path / "x.pgm").write_bytes(head + struct.pack(">2H", *values))
    assert read_image(tmp_path / "x.pgm")[0, :, 0].tolist() == expected


def test_instances_of_another_form_are_refused(tmp_path):
    Image.fromarray(np.array([[26001, 7]], np.uint16)).save(tmp_path / "x.png")
    assert read_instances(tmp_path / "x.png").tolist() == [[26001, 7]]
    write_png(tmp_path / "x.png", 0, 4, b"\x34", b"\0\0")
    with pytest.raises(InputError, match="no instance file"):
        read_instances(tmp_path / "x.png")


ROAD = (Label(0, 0, "road", "", (128, 64, 128)), Label(1, 255, "void", "", (0, 0, 0)))


@pytest.mark.parametrize("depth", [8, 16])
def test_colours_of_16_bits_are_not_those_of_the_table(tmp_path, depth):
    path, values = tmp_path / "x.png", np.array(ROAD[0].color)
    pixel = values.astype(">u2" if depth == 16 else "u1").tobytes()
    write_png(path, 2, depth, 2 * pixel, None)
    if depth == 8:
        assert read_labels(path, ROAD, colours=True).tolist() == [[0, 0]]
        return
    with pytest.raises(InputError, match=r"\(RGB;16B\); labels in colour need plain RGB of 8 bits"):
        read_labels(path, ROAD, colours=True)


def test_a_colour_beyond_the_palette_is_damage(tmp_path):
    path = tmp_path / "x.png"
    write_png(path, 3, 8, bytes([0, 1]), None, palette=bytes(ROAD[0].color))
    for read in (read_image, lambda path: read_labels(path, ROAD, colours=True)):
        with pytest.raises(InputError, match="damaged: it holds colour 1 of a palette of 1"):
            read(path)
    assert read_ids(path).tolist() == [[0, 1]]  # ids need no palette


@pytest.mark.parametrize("bits", [4, 8])
def test_a_run_length_encoded_bmp_is_refused(tmp_path, bits):
    path = tmp_path / "x.bmp"
    write_bmp(path, [[1, 2, 3, 4]], [(i, i, 0) for i in range(9)], bits)
    content = bytearray(path.read_bytes())
    content[30] = {8: 1, 4: 2}[bits]  # the header's field of compression
    path.write_bytes(content)
    for read in (read_image, read_ids):
        with pytest.raises(InputError, match=r"run-length encoded BMP, .* save it as PNG"):
            read(path)
