import hashlib

import numpy as np
import pytest
from PIL import Image

from eacnet.data.raw import list_frames
from eacnet.data.synthetic import draw_scene, write_dataset
from eacnet.errors import InputError
from eacnet.labels import CITYSCAPES, lookup

SEED = 2020


def digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((128, 256), "fa997c7b7bf35244ea50b0877d8a7aacdee63ee8dbd54fb928f10ad2ce05a5d5"),
        ((256, 512), "fb04c422c9792443b051fb71997bd364ebcf9eb91bbce13ac8b9f13c1c4403a5"),
    ],
)
def test_a_seed_gives_these_pixels_on_every_machine(size, expected):
    assert digest(*draw_scene(*size, [SEED, 0, 0])) == expected


def test_every_trained_class_is_in_every_split_and_not_just_once():
    train_ids, known = lookup(CITYSCAPES)
    for split, scenes in enumerate((96, 24, 24)):
        seen = np.zeros(256, int)
        for number in range(scenes):
            _, labels = draw_scene(128, 256, [SEED, split, number])
            assert known[labels].all()
            seen[np.unique(train_ids[labels])] += 1
        assert seen[:19].min() >= 5
        assert seen[255] > 0


def test_files_are_laid_out_as_cityscapes_and_hold_the_scene(tmp_path):
    write_dataset(tmp_path, {"train": 2, "val": 1}, 64, 128, seed=5)
    frames = list_frames("synthetic", tmp_path, "train")
    assert [frame.id for frame in frames] == ["synthetic_000000_000000", "synthetic_000001_000000"]
    image, labels = draw_scene(64, 128, [5, 0, 1])
    assert np.array_equal(np.asarray(Image.open(frames[1].image)), image)
    assert np.array_equal(np.asarray(Image.open(frames[1].labels)), labels)
    train_ids = np.asarray(Image.open(str(frames[1].labels).replace("labelIds", "labelTrainIds")))
    assert np.array_equal(train_ids, lookup(CITYSCAPES)[0][labels])


def test_scenes_differ_by_seed_split_and_number():
    scenes = [digest(draw_scene(64, 128, seed)[0]) for seed in ([1, 0, 0], [2, 0, 0], [1, 1, 0])]
    assert len(set(scenes)) == 3


@pytest.mark.parametrize("size", [(32, 128), (64, 4096)])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(InputError, match="64x128 to 1024x2048"):
        draw_scene(*size, [0, 0, 0])


def test_edges_of_image_and_labels_coincide():
    """Where the label changes from sky to building, so does the picture, within a pixel."""
    image, labels = draw_scene(256, 512, [SEED, 0, 0])
    road = labels == 7
    grey = image.astype(int).sum(2)
    jump = np.abs(np.diff(grey, axis=0))
    edge = np.diff(road.astype(int), axis=0) != 0
    assert np.median(jump[edge]) > 2 * np.median(jump[~edge & road[1:]])
