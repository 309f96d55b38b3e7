"""What `inspect` finds that `prepare` would take."""

import numpy as np
from PIL import Image

from eacnet.data.inspection import inspect
from eacnet.datasets import find


def test_frames_whose_labels_are_doubted_are_told_where_they_are_there(camvid):
    dataset = find("camvid")
    (doubted, why), *_ = dataset.suspect.items()

    def remarks() -> list[str]:
        how = dataset.reading(None), ["train", "test"], ["train"], "test"
        return inspect(dataset, camvid, *how).remarks

    assert remarks() == []
    for folder in ("test", "testannot"):
        (camvid / folder / "0.png").rename(camvid / folder / f"{doubted}.png")
    assert remarks() == [f"{doubted}: {why}"]


def test_frames_of_two_splits_that_are_meant_to_overlap_are_told(camvid):
    for kind in ("", "annot"):
        (camvid / f"test{kind}/0.png").write_bytes((camvid / f"train{kind}/2.png").read_bytes())
    dataset = find("camvid")
    how = dataset.reading(None), ["train", "test"], ["train"], "test"
    told = ["1 images are in train and in test (2 = 0)"]
    assert inspect(dataset, camvid, *how).problems == told
    allowed = inspect(dataset, camvid, *how, allow_overlap=True)
    assert (allowed.problems, allowed.remarks) == ([], told)


def test_pixels_and_images_of_each_value_are_counted(camvid, pixels):
    dataset = find("camvid")
    how = dataset.reading(None), ["train"], ["train"], "train"
    maps = [pixels(path) for path in sorted((camvid / "trainannot").iterdir())]
    maps[0] = np.where(maps[0] == 3, 4, maps[0])
    Image.fromarray(maps[0]).save(camvid / "trainannot/0.png")
    survey = inspect(dataset, camvid, *how).surveys["train"]
    for value in range(12):
        assert survey.pixels[value] == sum((labels == value).sum() for labels in maps)
        assert survey.images[value] == sum((labels == value).any() for labels in maps)


def test_a_split_that_is_trained_on_and_scored_is_told(camvid):
    dataset = find("camvid")
    how = dataset.reading(None), ["train", "val"], ["train", "val"], "val"
    told = ["split 'val' is both trained on and scored"]
    assert inspect(dataset, camvid, *how).problems == told
    allowed = inspect(dataset, camvid, *how, allow_overlap=True)
    assert (allowed.problems, allowed.remarks) == ([], told)
