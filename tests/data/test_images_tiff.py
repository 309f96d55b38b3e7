"""TIFFs that lack pixels, in every layout, or whose compression changes ids."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from eacnet.data.images import read_ids, read_image, read_instances, read_labels
from eacnet.datasets.labels import Label
from eacnet.errors import InputError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(1, 256, size=(7, 21), dtype=np.uint8)
COLOR = RANDOM.integers(1, 256, size=(7, 21, 3), dtype=np.uint8)
READERS = (read_image, read_ids)


def write_tiff(path, image, pieces, rows=None, tile=None, edit=None):
    """Write an uncompressed TIFF by its specification; `edit` changes its tags before."""
    height, width, channels = np.atleast_3d(image).shape
    starts = 8 + np.cumsum([0, *map(len, pieces[:-1])])
    tags = {256: [width], 257: [height], 258: [8] * channels, 259: [1]}
    tags |= {262: [1 if channels == 1 else 2], 277: [channels]}
    tags |= {322: [tile[1]], 323: [tile[0]]} if tile else {278: [rows or height]}
    where, count = (324, 325) if tile else (273, 279)
    tags |= {where: starts.tolist(), count: [len(piece) for piece in pieces]}
    if edit:
        edit(tags)
    body, table, more = b"".join(pieces), b"", b""
    place = 8 + len(body) + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        data = struct.pack(f"<{len(values)}I", *values)
        inline = data if len(values) == 1 else struct.pack("<I", place + len(more))
        more += data if len(values) > 1 else b""
        table += struct.pack("<HHI", tag, 4, len(values)) + inline
    head = struct.pack("<2sHI", b"II", 42, 8 + len(body))
    # Foreign bytes stand behind, as in a file that was cut and written anew.
    path.write_bytes(
        head + body + struct.pack("<H", len(tags)) + table + bytes(4) + more + GREY.tobytes()
    )


def strips(image, rows):
    return [image[top : top + rows].tobytes() for top in range(0, len(image), rows)]


def tiles(image, height, width):
    padding = [(0, -size % step) for size, step in zip(image.shape, (height, width), strict=True)]
    full = np.pad(image, padding)
    return [
        full[top : top + height, left : left + width].tobytes()
        for top in range(0, len(full), height)
        for left in range(0, full.shape[1], width)
    ]


def planes(image, rows):
    return [piece for channel in np.moveaxis(image, 2, 0) for piece in strips(channel, rows)]


LAYOUTS = {
    "one strip": (GREY, strips(GREY, 7), {}),
    "strips": (GREY, strips(GREY, 3), {"rows": 3}),
    "strips of RGB": (COLOR, strips(COLOR, 2), {"rows": 2}),
    "tiles": (GREY, tiles(GREY, 16, 16), {"tile": (16, 16)}),
    "planes": (COLOR, planes(COLOR, 4), {"rows": 4}),
}


@pytest.fixture(params=LAYOUTS)
def save_tiff(request, tmp_path):
    """Return a function that saves a TIFF of one layout; its pixels; and those who can read it."""
    image, pieces, options = LAYOUTS[request.param]

    def save(edit=lambda tags: None):
        def edited(tags):
            if request.param == "planes":
                tags[284] = [2]
            edit(tags)

        write_tiff(tmp_path / "x.tif", image, pieces, edit=edited, **options)
        return tmp_path / "x.tif"

    return save, image, (read_image, *[read_ids] * (image.ndim == 2))


def test_a_whole_tiff_is_read(save_tiff):
    save, image, _ = save_tiff
    expected = np.broadcast_to(np.atleast_3d(image), (*image.shape[:2], 3))
    np.testing.assert_array_equal(read_image(save()), expected)
    # Old writers leave the counts out.
    path = save(lambda tags: tags.pop(325 if 325 in tags else 279))
    np.testing.assert_array_equal(read_image(path), expected)
    if image.ndim == 2:
        np.testing.assert_array_equal(read_ids(save()), image)


def edit_piece(offset, count):
    """Edit the tables of a TIFF at their last entry."""

    def edit(tags):
        starts, counts = (tags[key] for key in ((324, 325) if 324 in tags else (273, 279)))
        starts[-1], counts[-1] = offset(starts[-1]), count(counts[-1])

    return edit


def lose_piece(tags):
    for key in (273, 279, 324, 325):
        if key in tags:
            tags[key].pop()


def lose_count(tags):
    key = 325 if 325 in tags else 279
    tags[key] = [*tags[key], 1]


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (edit_piece(lambda _: 0, lambda _: 0), r"damaged: \w+ \d of \d lacks pixels"),
        (edit_piece(lambda _: 0, lambda count: count), r"damaged: \w+ \d of \d lacks pixels"),
        (edit_piece(lambda start: start, lambda _: 20), r"damaged: \w+ \d of \d lacks pixels"),
        (edit_piece(lambda start: start, lambda _: 10**6), r"damaged: \w+ \d of \d lacks pixels"),
        (edit_piece(lambda _: 10**6, lambda count: count), r"damaged: \w+ \d of \d lacks pixels"),
        (lose_piece, r"damaged: its tables name \d of \d|in none of the formats"),
        (lose_count, r"damaged: its tables name \d of \d"),
    ],
    ids=["absent", "no start", "short", "beyond", "behind", "fewer", "other counts"],
)
def test_a_tiff_that_lacks_pixels_is_refused(save_tiff, edit, what):
    save, _, readers = save_tiff
    path = save(edit)
    for read in readers:
        with pytest.raises(InputError, match=rf"x.tif can't be read .*({what})"):
            read(path)


@pytest.mark.parametrize(
    ("bits", "other"), [(4, {}), (4, {262: [3], 320: [0] * 48}), (16, {}), (8, {266: [2]})]
)
def test_separate_planes_that_are_read_otherwise_are_refused(tmp_path, bits, other):
    pieces = [GREY[0, :bits].tobytes()]
    write_tiff(
        tmp_path / "x.tif",
        GREY[:1, :8],
        pieces,
        edit=lambda tags: tags.update({258: [bits], 284: [2], **other}),
    )
    for read in READERS:
        with pytest.raises(InputError, match=r"separate planes .* save it as PNG"):
            read(tmp_path / "x.tif")


@pytest.mark.parametrize("planar", [1, 2])
def test_separate_planes_of_one_bit_are_read(tmp_path, planar):
    tags = {258: [1], 284: [planar]}
    write_tiff(tmp_path / "x.tif", GREY[:1, :8], [b"\x96"], edit=lambda old: old.update(tags))
    assert read_ids(tmp_path / "x.tif").tolist() == [[1, 0, 0, 1, 0, 1, 1, 0]]


@pytest.mark.parametrize("compression", [1, 8])
def test_grey_and_alpha_in_separate_planes_are_refused(tmp_path, compression):
    planes = [np.full((4, 4), value, np.uint8).tobytes() for value in (100, 255)]
    pieces = planes if compression == 1 else [zlib.compress(plane) for plane in planes]
    tags = {259: [compression], 262: [1], 284: [2], 338: [2]}
    write_tiff(tmp_path / "x.tif", np.zeros((4, 4, 2)), pieces, edit=lambda old: old.update(tags))
    with pytest.raises(InputError, match=r"separate planes .* save it as PNG"):
        read_image(tmp_path / "x.tif")


TABLE = tuple(Label(i, i, f"c{i}", "", (i, i, i)) for i in range(4))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_lossy_tiff_holds_a_photo_but_no_labels(tmp_path, mode):
    Image.fromarray(COLOR).convert(mode).save(tmp_path / "x.tif", compression="jpeg")
    assert read_image(tmp_path / "x.tif").shape == COLOR.shape
    for read in (read_ids, read_instances, lambda path: read_labels(path, TABLE, colours=True)):
        with pytest.raises(InputError, match=r"x.tif is a TIFF of lossy compression \(jpeg\), "):
            read(tmp_path / "x.tif")


@pytest.mark.parametrize(("code", "name"), [(6, "tiff_jpeg"), (50001, "webp")])
def test_other_lossy_tiffs_are_named_before_they_are_decoded(tmp_path, code, name):
    edit = {259: [code]}
    write_tiff(tmp_path / "x.tif", GREY, strips(GREY, 7), edit=lambda tags: tags.update(edit))
    with pytest.raises(InputError, match=rf"lossy compression \({name}\), which changes labels"):
        read_ids(tmp_path / "x.tif")


@pytest.mark.parametrize(
    "name", ["tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "lzma", "zstd"]
)
def test_a_lossless_tiff_holds_labels(tmp_path, name):
    Image.fromarray(GREY).save(tmp_path / "x.tif", compression=name)
    np.testing.assert_array_equal(read_ids(tmp_path / "x.tif"), GREY)


@pytest.mark.parametrize("name", ["tiff_ccitt", "group3", "group4"])
def test_a_fax_is_refused(tmp_path, name):
    Image.fromarray(GREY > 128).save(tmp_path / "x.tif", compression=name)
    for read in READERS:
        with pytest.raises(InputError, match=rf"fax compression \({name}\), whose damage can't be"):
            read(tmp_path / "x.tif")
