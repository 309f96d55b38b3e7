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
    """Return a function that makes a store: split -> the greys of its frames."""

    def make(**splits):
        entries = {}
        for name, greys in splits.items():
            greys = np.array(greys)
            frames = np.full((len(greys), 6, 8, 3), greys[:, None, None, None], np.uint8)
            frames[:, :, 4:] = 255
            (tmp_path / name).mkdir()
            np.save(tmp_path / name / "images.npy", frames)
            np.save(tmp_path / name / "labels.npy", frames[..., 0] * 0)
            ids = [f"{name}-{grey}" for grey in greys]
            entries[name] = {"frames": len(greys), "sha256": name, "ids": ids}
        listed = [{"name": name, "category": "", "color": [0, 0, 0]} for name in ("road", "sky")]
        write_json(
            tmp_path / "dataset.json",
            {
                "classes": listed,
                "mean": [0.0] * 3,
                "frequencies": [1.0] * len(listed),
                "size": [6, 8],
                "splits": entries,
            },
        )
        return tmp_path

    return make


def greys(images):
    return [int(image[0, 0, 0]) for image in images]


def test_frames_of_a_store(store):
    folder = store(train=range(0, 250, 10), val=[1, 2, 3], test=[4, 5, 6])
    source = ImageSource(folder, "val")
    images = source.samples(12, 16)
    assert greys(images) == [10 * i for i in spread(25, SAMPLES)]
    assert {(int(image[0, -1, 0]), image.shape) for image in images} == {(255, (12, 16, 3))}
    frame = np.full((6, 8, 3), 2, np.uint8)
    frame[:, 4:] = 255
    scaled = np.asarray(Image.fromarray(frame).resize((16, 12), Image.Resampling.BILINEAR))
    assert np.array_equal(source.timed(2, 12, 16), [scaled, scaled])
    assert source.description["timed"] == f"val-2 of split val in {folder}"
    assert source.description["samples"] == f"16 frames of split train in {folder}"


@pytest.mark.parametrize(
    ("splits", "evaluated", "timed", "samples"),
    [
        ({"train": [1, 2, 3], "test": [4, 5, 6]}, "test", 5, [1, 2, 3]),  # no val: allowed
        ({"train": [1, 2, 3], "val": [4]}, "test", 4, [1, 2, 3]),  # not there: the last one
        ({"train": [1, 2, 3], "val": [4]}, "", 4, [1, 2, 3]),
        ({"test": [4], "val": [5], "train": [1, 2, 3]}, "val", 5, [1, 2, 3]),
        ({"val": [4], "test": [5, 6, 7]}, "test", 6, [4]),  # nothing to train on
        ({"train": [1, 2, 3]}, "train", 2, [1, 3]),  # never the timed one
    ],
)
def test_any_split_that_there_is_will_do(store, splits, evaluated, timed, samples):
    source = ImageSource(store(**splits), evaluated)
    assert greys(source.timed(1, 6, 8)) == [timed]
    assert greys(source.samples(6, 8)) == samples
    assert f"-{timed} of split" in source.description["timed"]


def test_drawn_scenes_differ_from_the_timed_one(monkeypatch):
    monkeypatch.setattr(samples, "SCENE", (64, 128))
    samples._scene.cache_clear()
    drawn = DRAWN.samples(32, 48)
    images = [*drawn, DRAWN.timed(1, 32, 48)[0]]
    samples._scene.cache_clear()
    assert len({image.tobytes() for image in images}) == SAMPLES + 1
    assert {image.shape for image in images} == {(32, 48, 3)}
    assert DRAWN.description["data"] is None
