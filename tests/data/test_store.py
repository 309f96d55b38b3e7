import os
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from eacnet.data import prepare as store_module
from eacnet.data.prepare import prepare
from eacnet.data.store import open_store
from eacnet.errors import InputError

SPLITS = ["train", "val", "test"]


def run(root, tmp_path, dataset="camvid", splits=SPLITS, train=("train",)):
    prepare(dataset, root, tmp_path / "store", splits, train)
    return open_store(tmp_path / "store")


def test_the_store_holds_the_pixels_of_the_files(camvid, tmp_path, pixels):
    store = run(camvid, tmp_path)
    for name in SPLITS:
        split = store.split(name)
        assert split.ids == ["0", "1", "2"]
        for index, id_ in enumerate(split.ids):
            labels = pixels(camvid / f"{name}annot" / f"{id_}.png")
            assert np.array_equal(split.images[index], pixels(camvid / name / f"{id_}.png"))
            assert np.array_equal(split.labels[index], np.where(labels == 11, 255, labels))


def test_statistics_come_from_the_training_splits_alone(camvid, tmp_path):
    info = run(camvid, tmp_path, train=("train", "val")).info
    store = open_store(tmp_path / "store")
    images = np.concatenate([store.split(s).images for s in ("train", "val")]).reshape(-1, 3)
    labels = np.concatenate([store.split(s).labels for s in ("train", "val")])
    assert info["mean"] == np.round(images.mean(0)).tolist()
    assert info["std"] == pytest.approx(images.std(0), abs=1e-3)
    shares = np.bincount(labels[labels != 255], minlength=11) / (labels != 255).sum()
    assert info["frequencies"] == pytest.approx(shares, abs=1e-7)


def test_preparing_twice_gives_the_same_bytes(camvid, tmp_path):
    contents = []
    for name in ("a", "b"):
        prepare("camvid", camvid, tmp_path / name, SPLITS, ["train"])
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_the_checksum_changes_with_one_pixel(camvid, tmp_path):
    before = run(camvid, tmp_path).checksum
    path = camvid / "testannot" / "1.png"
    labels = np.array(Image.open(path))
    labels[0, 0] = (labels[0, 0] + 1) % 11
    Image.fromarray(labels).save(path)
    assert run(camvid, tmp_path).checksum != before


def test_cityscapes_layout_and_label_ids(tmp_path):
    root = tmp_path / "cityscapes"
    for split in ("train", "val"):
        for folder in ("leftImg8bit", "gtFine"):
            (root / folder / split / "aachen").mkdir(parents=True)
        ids = np.arange(34, dtype=np.uint8).reshape(2, 17)
        stem = "aachen_000000_000019"
        Image.fromarray(np.zeros((2, 17, 3), np.uint8)).save(
            root / "leftImg8bit" / split / "aachen" / f"{stem}_leftImg8bit.png"
        )
        Image.fromarray(ids).save(
            root / "gtFine" / split / "aachen" / f"{stem}_gtFine_labelIds.png"
        )
    store = run(root, tmp_path, "cityscapes", ["train", "val"])
    assert store.num_classes == 19
    labels = store.split("val").labels[0].ravel()
    assert store.split("val").ids == ["aachen_000000_000019"]
    assert labels[[7, 8, 11, 33]].tolist() == [0, 1, 2, 18]
    assert (labels != 255).sum() == 19


def test_own_folder_with_its_class_table(tmp_path):
    root = tmp_path / "folder"
    for kind in ("images", "labels"):
        (root / kind / "train").mkdir(parents=True)
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(root / "images/train/a.jpg")
    Image.fromarray(np.full((4, 6), 7, np.uint8)).save(root / "labels/train/a.png")
    (root / "classes.csv").write_text("id,name,red,green,blue\n3,field,0,9,0\n7,path,9,9,9\n")
    store = run(root, tmp_path, "folder", ["train"])
    assert [entry["name"] for entry in store.info["classes"]] == ["field", "path"]
    assert np.unique(store.split("train").labels).tolist() == [1]


def spoil_missing(root):
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    root.rmdir()


def spoil_empty_split(root):
    for path in [*(root / "val").iterdir(), *(root / "valannot").iterdir()]:
        path.unlink()


def spoil_size(root):
    Image.fromarray(np.zeros((12, 21), np.uint8)).save(root / "trainannot/2.png")


def spoil_other_size(root):
    Image.fromarray(np.zeros((12, 21), np.uint8)).save(root / "trainannot/2.png")
    Image.fromarray(np.zeros((12, 21, 3), np.uint8)).save(root / "train/2.png")


def spoil_truncated(root):
    path = root / "train/1.png"
    path.write_bytes(path.read_bytes()[:-200])


def spoil_value(root):
    labels = np.zeros((12, 20), np.uint8)
    labels[3, 4] = 77
    Image.fromarray(labels).save(root / "testannot/0.png")


def spoil_all_ignored(root):
    for path in (root / "valannot").iterdir():
        Image.fromarray(np.full((12, 20), 11, np.uint8)).save(path)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (spoil_missing, "no dataset at .*; fetch it with `make camvid`"),
        (spoil_empty_split, "no frames in split 'val'"),
        (lambda r: (r / "trainannot/1.png").unlink(), "train/1.png is an image without a label"),
        (lambda r: (r / "test/2.png").unlink(), "testannot/2.png is a label file without an image"),
        (spoil_size, "train/2.png is 12x20, but its labels are 12x21"),
        (spoil_other_size, "train/2.png is 12x21, but 0.png is 12x20"),
        (spoil_truncated, "train/1.png can't be read as an image"),
        (lambda r: (r / "val/0.png").write_text("x"), "val/0.png can't be read as an image"),
        (spoil_value, "testannot/0.png holds label id 77 at row 3, column 4"),
        (spoil_all_ignored, "every pixel of split 'val' .* is ignored"),
    ],
)
def test_bad_data_gets_one_line_and_leaves_nothing(camvid, tmp_path, spoil, expected):
    spoil(camvid)
    with pytest.raises(InputError) as caught:
        run(camvid, tmp_path)
    assert re.search(expected, str(caught.value))
    assert "\n" not in str(caught.value)
    assert [path for path in tmp_path.iterdir() if path != camvid] == []


def test_a_full_disk_leaves_nothing(camvid, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(np.lib.format, "open_memmap", full)
    with pytest.raises(OSError, match="store"):
        run(camvid, tmp_path)
    assert [path for path in tmp_path.iterdir() if path != camvid] == []


def test_a_store_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"dataset\.json is missing; `dvc repro`"):
        open_store(tmp_path)


def test_an_interrupt_while_decoding_leaves_nothing(camvid, tmp_path, monkeypatch):
    read = store_module.read_image
    seen = []

    def interrupted(path):
        seen.append(path)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(store_module, "read_image", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare("camvid", camvid, tmp_path / "prepared" / "camvid", ["train", "val"], ["train"])
    assert not list((tmp_path / "prepared").iterdir())


def test_decoding_runs_only_so_far_ahead():
    begun, done = [], 0
    with ThreadPoolExecutor(2) as pool:
        for result in store_module._ahead(
            pool, lambda item: begun.append(item) or item, range(20), 4
        ):
            assert result == done
            done += 1
            assert len(begun) <= done + 3
    assert done == 20
