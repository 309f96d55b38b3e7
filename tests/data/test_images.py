import numpy as np
import pytest
from PIL import Image

from eacnet.data.images import read_image, resized
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
