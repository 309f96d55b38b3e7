import numpy as np
import pytest
from PIL import Image

from eacnet.benchmark import samples
from eacnet.benchmark.samples import DRAWN, SAMPLES, ImageSource, spread
from eacnet.files import write_json


@pytest.mark.parametrize(
    ("total", "count", "expected"),
    [
        (9, 3, [0, 4, 8]),
        (3, 16, [0, 1, 2]),
        (1, 4, [0]),
        (0, 4, []),
        (101, 5, [0, 25, 50, 75, 100]),
    ],
)
def test_indices_from_the_first_to_the_last(total, count, expected):
    assert spread(total, count) == expected


@pytest.fixture
def store(tmp_path):
    """A prepared store whose training frames are grey 0, 10, ... and validation frames 1, 2, 3."""
    splits = {"train": np.arange(0, 250, 10), "val": np.arange(1, 4)}
    for name, greys in splits.items():
        images = np.full((len(greys), 6, 8, 3), greys[:, None, None, None], np.uint8)
        images[:, :, 4:] = 255
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "images.npy", images)
        np.save(tmp_path / name / "labels.npy", images[..., 0])
    entries = {
        name: {"frames": len(greys), "sha256": name, "ids": [f"{name}-{grey}" for grey in greys]}
        for name, greys in splits.items()
    }
    write_json(tmp_path / "dataset.json", {"classes": [], "splits": entries})
    return tmp_path


def test_frames_of_a_store(store):
    pictures = ImageSource(store)
    images = pictures.samples(12, 16)
    assert [int(image[0, 0, 0]) for image in images] == [10 * i for i in spread(25, SAMPLES)]
    assert {(int(image[0, -1, 0]), image.shape) for image in images} == {(255, (12, 16, 3))}
    frame = np.full((6, 8, 3), 2, np.uint8)
    frame[:, 4:] = 255
    scaled = np.asarray(Image.fromarray(frame).resize((16, 12), Image.Resampling.BILINEAR))
    assert np.array_equal(pictures.timed(2, 12, 16), [scaled, scaled])
    assert pictures.description["timed"] == f"val-2 of split val in {store}"
    assert pictures.description["samples"] == f"16 frames of split train in {store}"


def test_drawn_scenes_differ_from_the_timed_one(monkeypatch):
    monkeypatch.setattr(samples, "SCENE", (64, 128))
    samples._scene.cache_clear()
    drawn = DRAWN.samples(32, 48)
    images = [*drawn, DRAWN.timed(1, 32, 48)[0]]
    samples._scene.cache_clear()
    assert len({image.tobytes() for image in images}) == SAMPLES + 1
    assert {image.shape for image in images} == {(32, 48, 3)}
    assert DRAWN.description["data"] is None
