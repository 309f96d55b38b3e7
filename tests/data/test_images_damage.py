"""PNGs, JPEGs and PPMs that lack pixels or hold others than they seem to."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from eacnet.data.images import read_ids, read_image, read_instances
from eacnet.errors import InputError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(1, 256, size=(7, 21), dtype=np.uint8)
COLOR = RANDOM.integers(1, 256, size=(7, 21, 3), dtype=np.uint8)
READERS = (read_image, read_ids)
# What a PNG's interlacing sends first to last, drawn as in its specification.
ADAM7 = np.array(
    [
        [1, 6, 4, 6, 2, 6, 4, 6],
        [7] * 8,
        [5, 6] * 4,
        [7] * 8,
        [3, 6, 4, 6, 3, 6, 4, 6],
        [7] * 8,
        [5, 6] * 4,
        [7] * 8,
    ]
)


def rows_of(stored, bits):
    """Return a PNG's rows, each behind the number of its filter."""
    data = b""
    for row in stored:
        text = "".join(format(value, f"0{bits}b") for value in row.ravel())
        text += "0" * (-len(text) % 8)
        data += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")
    return data


def passes_of(stored):
    """Cut an image into the passes of PNG's interlacing that are not empty."""
    height, width = stored.shape[:2]
    order = np.tile(ADAM7, (-(-height // 8), -(-width // 8)))[:height, :width]
    for number in range(1, 8):
        rows, columns = (np.unique(axis) for axis in np.nonzero(order == number))
        if len(rows):
            yield stored[np.ix_(rows, columns)]


def write_png(path, kind, bits, size, data, interlaced=False, cut=97):
    """Write a PNG by its specification, its data in chunks of `cut` bytes, one of them empty."""
    packed = zlib.compress(data)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", *size[::-1], bits, kind, 0, 0, interlaced))]
    if kind == 3:
        chunks.append((b"PLTE", bytes(range(3)) * 2 ** min(bits, 6)))
    chunks += [(b"IDAT", packed[i : i + cut]) for i in range(0, len(packed), cut)]
    chunks += [(b"IDAT", b""), (b"tEXt", b"a\0b"), (b"IEND", b"")]
    content = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


FORMS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 4), (3, 8)]
FORMS += [(4, 8), (4, 16), (6, 8), (6, 16)]


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "bits"), FORMS)
def test_a_png_is_read_if_whole_and_refused_if_not(tmp_path, kind, bits, interlaced):
    channels, path = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind], tmp_path / "x.png"
    readers = (read_image, *[read_ids] * (kind in (0, 3) and bits < 16))
    for size in ((1, 1), (1, 2), (2, 1), (3, 5), (5, 3), (9, 17), (40, 3)):
        # All zeros: as Pillow leaves what it did not decode.
        for stored in (np.zeros((*size, channels), int), np.ones((*size, channels), int)):
            parts = list(passes_of(stored)) if interlaced else [stored]
            data = b"".join(rows_of(part, bits) for part in parts)
            write_png(path, kind, bits, size, data, interlaced)
            for read in readers:
                assert read(path).shape[:2] == size
            if read_ids in readers:
                np.testing.assert_array_equal(read_ids(path), stored[..., 0])
            last = rows_of(parts[-1][:1], bits)
            write_png(path, kind, bits, size, data[: -len(last)], interlaced)
            for read in readers:
                # An empty stream, or one that ends with a pass, Pillow may find to be cut.
                with pytest.raises(InputError, match=r"damaged: it holds|truncated"):
                    read(path)


@pytest.mark.parametrize("rows", [1, 3, 6])
def test_a_png_that_ends_early_is_damaged(tmp_path, rows):
    write_png(tmp_path / "x.png", 0, 8, GREY.shape, rows_of(GREY[:rows], 8))
    for read in (*READERS, read_instances):
        with pytest.raises(
            InputError, match=rf"x.png can't be .* damaged: it holds {22 * rows} of {22 * 7} bytes"
        ):
            read(tmp_path / "x.png")


def test_a_png_of_which_a_single_bit_changed_is_damaged(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(GREY % 5).save(path)
    whole = path.read_bytes()
    end = whole.index(b"IEND") - 4
    for content in (whole + b"a trailer of other programs", whole[:end] + whole[end + 12 :]):
        path.write_bytes(content)
        np.testing.assert_array_equal(read_ids(path), GREY % 5)
    for bit in range(8 * 8, 8 * end):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        for read in READERS:
            with pytest.raises(InputError, match=r"x\.png"):
                read(path)


@pytest.mark.parametrize("count", range(1, 7))
def test_a_png_that_lacks_passes_is_damaged(tmp_path, count):
    parts = list(passes_of(GREY))
    assert len(parts) == 7
    data = b"".join(rows_of(part, 8) for part in parts)
    write_png(tmp_path / "x.png", 0, 8, GREY.shape, data, True)
    np.testing.assert_array_equal(read_ids(tmp_path / "x.png"), GREY)
    data = b"".join(rows_of(part, 8) for part in parts[:count])
    write_png(tmp_path / "x.png", 0, 8, GREY.shape, data, True)
    for read in READERS:
        with pytest.raises(InputError, match=f"damaged: it holds {len(data)} of"):
            read(tmp_path / "x.png")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_whose_rest_is_lost_is_damaged(tmp_path, progressive):
    """Of a broken download, zeros stand for what did not come; decoders take them for pixels."""
    path = tmp_path / "x.jpg"
    photo = Image.fromarray(np.kron(COLOR, np.ones((8, 8, 1), np.uint8)))
    photo.save(path, progressive=progressive, exif=_thumbnail())
    whole = path.read_bytes()
    for trailer in (b"", b"\xff\xda of a video that a phone appends"):
        path.write_bytes(whole + trailer)
        assert read_image(path).shape == (56, 168, 3)
    for share in np.linspace(0.1, 1, 40, endpoint=False):
        kept = int(share * len(whole))
        for rest in (bytes(len(whole) - kept), b""):
            path.write_bytes(whole[:kept] + rest)
            with pytest.raises(InputError, match=r"x\.jpg"):
                read_image(path)


def _thumbnail():
    """EXIF in which another JPEG lies, with its own mark of an end."""
    exif, small = Image.Exif(), io.BytesIO()
    Image.fromarray(COLOR).save(small, "JPEG")
    exif.get_ifd(0x8769)[0x927C] = small.getvalue()
    return exif


@pytest.mark.parametrize("kind", ["1", "L", "RGB", "I;16"])
def test_several_images_in_a_ppm_are_refused(tmp_path, kind):
    path = tmp_path / "x.ppm"
    Image.fromarray(COLOR).convert("L").convert(kind).save(path, "PPM")
    one = path.read_bytes().replace(b"\n", b"\n# drawn\n", 1)
    path.write_bytes(one + b"\n")
    assert read_image(path).shape == COLOR.shape
    path.write_bytes(one + one)
    with pytest.raises(InputError, match="it holds several images; save each as a file"):
        read_image(path)


@pytest.mark.parametrize("place", [1, 2])
def test_a_turn_that_changed_in_a_single_bit_is_damage(tmp_path, place):
    """EXIF may stand behind the pixels of a PNG."""
    path, exif = tmp_path / "x.png", Image.Exif()
    exif[274] = 3
    Image.fromarray(GREY).save(path, exif=exif)
    whole = path.read_bytes()
    chunks, at = [whole[:8]], 8
    while at < len(whole):
        end = at + 12 + int.from_bytes(whole[at : at + 4])
        chunks.append(whole[at:end])
        at = end
    turn = next(chunk for chunk in chunks if chunk[4:8] == b"eXIf")
    chunks.remove(turn)
    chunks.insert(-place, turn)
    path.write_bytes(b"".join(chunks))
    np.testing.assert_array_equal(read_ids(path), GREY[::-1, ::-1])
    for bit in range(8 * 8, 8 * (len(turn) - 4)):
        changed = bytearray(turn)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(b"".join(changed if chunk is turn else chunk for chunk in chunks))
        with pytest.raises(InputError, match=r"x\.png"):
            read_ids(path)
