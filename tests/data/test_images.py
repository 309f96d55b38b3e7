import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from eacnet.data.images import read_ids, read_image, read_labels, resized
from eacnet.datasets.labels import IGNORED, Label
from eacnet.errors import InputError

RANDOM = np.random.default_rng(0)
COLOR = RANDOM.integers(256, size=(6, 10, 3), dtype=np.uint8)

# What a viewer does for each EXIF orientation: the definition of the tag, by row and column.
UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}


def saved(path, image, **options):
    image.save(path, **options)
    return read_image(path)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    found = saved(tmp_path / f"x.{suffix}", Image.fromarray(COLOR), exif=exif, **options)
    np.testing.assert_array_equal(found, UPRIGHT[orientation](COLOR))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_tiff_of_any_form_is_turned_upright(tmp_path, orientation, mode, compression):
    exif = Image.Exif()
    exif[0x0112] = orientation
    if mode == "I;16":
        image = Image.fromarray(COLOR[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(COLOR).convert(mode)
    options = {"exif": exif, "compression": compression}
    image.save(tmp_path / "flat.tif", compression=compression)
    found = saved(tmp_path / "turned.tif", image, **options)
    np.testing.assert_array_equal(found, UPRIGHT[orientation](read_image(tmp_path / "flat.tif")))
    if mode in ("L", "P"):
        np.testing.assert_array_equal(
            read_ids(tmp_path / "turned.tif"), UPRIGHT[orientation](np.asarray(image))
        )


def test_a_tiff_of_signed_ids_is_refused(tmp_path):
    Image.fromarray(COLOR[..., 0]).save(tmp_path / "x.tif", tiffinfo={339: 2})
    for read in (read_ids, read_image):
        with pytest.raises(InputError, match="TIFF of signed integers"):
            read(tmp_path / "x.tif")


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = COLOR[..., 0]
    found = saved(tmp_path / "x.png", Image.fromarray(grey))
    np.testing.assert_array_equal(found, np.stack([grey] * 3, -1))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_of_16_bits_the_upper_8_are_kept(tmp_path, suffix):
    deep = np.array([[0, 255, 256, 32768, 65279, 65535]], np.uint16)
    found = saved(tmp_path / f"x.{suffix}", Image.fromarray(deep))
    assert found[0, :, 0].tolist() == [0, 0, 1, 128, 254, 255]


def test_transparent_pixels_are_laid_on_white(tmp_path):
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, :3] = (200, 100, 0)
    pixels[0, :, 3] = (255, 0, 51)
    found = saved(tmp_path / "x.png", Image.fromarray(pixels))
    # 51 / 255 = 0.2 of the colour and 0.8 of white.
    assert found[0].tolist() == [[200, 100, 0], [255, 255, 255], [244, 224, 204]]


def test_a_palette_with_a_transparent_colour(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([10, 20, 30, 40, 50, 60])
    found = saved(tmp_path / "x.png", image, transparency=1)
    assert found[0].tolist() == [[10, 20, 30], [255, 255, 255]]


def test_cmyk(tmp_path):
    image = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    found = saved(tmp_path / "x.tif", image)
    assert found[0, 0].tolist() == [0, 255, 255]


def test_what_has_no_defined_white_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x.tif is an image of mode F, .* convert it"):
        saved(tmp_path / "x.tif", Image.fromarray(np.ones((4, 4), np.float32)))
    with pytest.raises(InputError, match=r"y.tif is an image of mode I, .* convert it"):
        saved(tmp_path / "y.tif", Image.fromarray(np.ones((4, 4), np.int32)))


def test_several_pages_are_refused(tmp_path):
    page = Image.fromarray(COLOR)
    with pytest.raises(InputError, match="holds 2 pages"):
        saved(tmp_path / "x.tif", page, save_all=True, append_images=[page])


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(COLOR).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"x.png can't be read as an image"):
        read_image(path)


def test_label_maps_are_resized_without_new_classes():
    labels = np.array([[0, 5], [7, 2]], np.uint8)
    large = resized(labels, (4, 6), nearest=True)
    np.testing.assert_array_equal(large, labels.repeat(2, 0).repeat(3, 1))
    np.testing.assert_array_equal(resized(large, (2, 2), nearest=True), labels)


def write_png(path, bits, kind, ids, extra=b""):
    """Write a PNG of one channel by its specification: kind 0 is grey, 3 has a palette."""
    rows = b""
    for row in ids:
        stored = "".join(format(value, f"0{bits}b") for value in row)
        stored += "0" * (-len(stored) % 8)
        rows += b"\0" + int(stored, 2).to_bytes(len(stored) // 8, "big")
    palette = b"" if kind == 0 else bytes(7 * i % 251 for i in range(3 * 2**bits))
    height, width = np.shape(ids)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0))]
    chunks += [(b"PLTE", palette)] * bool(palette) + [(b"tRNS", extra)] * bool(extra)
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )


@pytest.mark.parametrize(
    ("bits", "kind", "extra"),
    [
        *((bits, 0, b"") for bits in (1, 2, 4, 8, 16)),
        *((bits, 0, b"\0\1") for bits in (1, 2, 4, 8, 16)),
        *((bits, 3, extra) for bits in (1, 2, 4, 8) for extra in (b"", b"\0\x80")),
    ],
)
def test_ids_are_read_as_stored_by_whatever_bits(tmp_path, bits, kind, extra):
    ids = np.random.default_rng(bits).integers(min(2**bits, 256), size=(5, 13))
    write_png(tmp_path / "x.png", bits, kind, ids, extra)
    found = read_ids(tmp_path / "x.png")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, ids)


def test_ids_above_255_are_refused(tmp_path):
    write_png(tmp_path / "x.png", 16, 0, [[7, 26001]])
    with pytest.raises(InputError, match="holds label id 26001"):
        read_ids(tmp_path / "x.png")


@pytest.mark.parametrize("suffix", ["tif", "bmp"])
@pytest.mark.parametrize("kind", ["L", "1", "P"])
def test_ids_in_other_formats(tmp_path, suffix, kind):
    ids = np.random.default_rng(0).integers(2, size=(5, 13), dtype=np.uint8)
    image = Image.fromarray(ids.astype(bool) if kind == "1" else ids)
    if kind == "P":
        image.putpalette([255, 255, 255, 0, 0, 0])
    image.save(tmp_path / f"x.{suffix}")
    np.testing.assert_array_equal(read_ids(tmp_path / f"x.{suffix}"), ids)


def test_a_tiff_whose_zero_is_white_is_no_label_file(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "x.tif", tiffinfo={262: 0})
    with Image.open(tmp_path / "x.tif") as file:
        assert file.tag_v2[262] == 0
    with pytest.raises(InputError, match="labels need one channel"):
        read_ids(tmp_path / "x.tif")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "I", "F"])
def test_several_channels_or_other_numbers_are_no_labels(tmp_path, mode):
    Image.new(mode, (4, 4)).save(tmp_path / ("x.tif" if mode in "IF" else "x.png"))
    path = next(tmp_path.iterdir())
    with pytest.raises(InputError, match="labels need one channel"):
        read_ids(path)


def test_a_lossy_format_holds_no_labels_whatever_its_name(tmp_path):
    for kind in ("JPEG", "WEBP", "GIF"):
        Image.fromarray(COLOR[..., 0]).save(tmp_path / "x.png", kind)
        with pytest.raises(InputError, match="can't be read as an image"):
            read_ids(tmp_path / "x.png")


TABLE = (
    Label(0, 1, "a", "", (10, 20, 30)),
    Label(1, 0, "b", "", (0, 0, 0)),
    Label(2, 1, "c", "", (255, 0, 1)),
    Label(3, IGNORED, "void", "", (9, 9, 9)),
)


def test_ids_and_colours_become_train_ids(tmp_path):
    ids = np.array([[0, 1, 2], [3, 2, 0]], np.uint8)
    expected = [[1, 0, 1], [255, 1, 1]]
    Image.fromarray(ids).save(tmp_path / "ids.png")
    colours = np.array([label.color for label in TABLE], np.uint8)[ids]
    Image.fromarray(colours).save(tmp_path / "rgb.png")
    Image.fromarray(colours).quantize(8).save(tmp_path / "palette.png")
    assert read_labels(tmp_path / "ids.png", TABLE).tolist() == expected
    for name in ("rgb.png", "palette.png"):
        assert read_labels(tmp_path / name, TABLE, colours=True).tolist() == expected


@pytest.mark.parametrize("colour", [(9, 9, 10), (255, 0, 2), (255, 255, 255), (0, 0, 1)])
def test_a_colour_that_the_table_lacks_is_named(tmp_path, colour):
    colours = np.zeros((3, 4, 3), np.uint8)
    colours[2, 1] = colour
    Image.fromarray(colours).save(tmp_path / "x.png")
    with pytest.raises(InputError, match=rf"colour \[{', '.join(map(str, colour))}\] at row 2, c"):
        read_labels(tmp_path / "x.png", TABLE, colours=True)


def test_a_format_that_does_not_match_the_suffix_is_read(tmp_path):
    Image.fromarray(COLOR).save(tmp_path / "x.jpg", "PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "x.jpg"), COLOR)


@pytest.mark.parametrize("kind", ["GIF", "EPS", "PDF", "ICO", "TGA", "PCX", "JPEG2000"])
def test_a_parser_that_is_not_allowed_is_not_run(tmp_path, kind, monkeypatch):
    Image.fromarray(COLOR).save(tmp_path / "x.png", kind)
    monkeypatch.setattr("subprocess.check_call", lambda *_, **__: pytest.fail("a program started"))
    with pytest.raises(InputError, match="can't be read as an image"):
        read_image(tmp_path / "x.png")


def make_bomb(path):
    write_png(path, 1, 0, [[0]])
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"),
        make_bomb,
    ],
    ids=["pipe", "folder", "device", "broken link", "empty", "bare signature", "bomb"],
)
@pytest.mark.parametrize("read", [read_image, read_ids])
def test_what_is_no_image_file_gets_one_line(tmp_path, make, read):
    make(tmp_path / "x.png")
    with pytest.raises(InputError, match=r"x.png can't be read as an image .*; replace") as caught:
        read(tmp_path / "x.png")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_an_animation_is_refused(tmp_path, suffix):
    pages = [Image.fromarray(COLOR), Image.fromarray(255 - COLOR)]
    pages[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="holds 2 pages"):
        read_image(tmp_path / f"x.{suffix}")


def test_labels_are_turned_as_images_are(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    ids = COLOR[..., 0]
    Image.fromarray(ids).save(tmp_path / "x.png", exif=exif)
    np.testing.assert_array_equal(read_ids(tmp_path / "x.png"), UPRIGHT[6](ids))
