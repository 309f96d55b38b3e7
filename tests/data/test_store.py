import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from eacnet.data import prepare as store_module
from eacnet.data.frames import Frames, same_size, sizes_of
from eacnet.data.inspection import inspect
from eacnet.data.prepare import prepare
from eacnet.data.store import open_store
from eacnet.datasets import find
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
    shares = np.bincount(labels[labels != 255], minlength=11) / (labels != 255).sum()
    assert info["frequencies"] == [round(share, 8) for share in shares.tolist()]


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

    monkeypatch.setattr(store_module, "_write_header", full)
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


def spoil_sizes(root):
    """Make the frames of `train` and `val` of several sizes."""
    random = np.random.default_rng(1)
    for split, sizes in {
        "train": [(12, 20), (8, 30), (30, 8)],
        "val": [(9, 9), (9, 9), (7, 5)],
    }.items():
        for index, size in enumerate(sizes):
            image = random.integers(256, size=(*size, 3), dtype=np.uint8)
            labels = random.integers(12, size=size, dtype=np.uint8)
            Image.fromarray(image).save(root / split / f"{index}.png")
            Image.fromarray(labels).save(root / f"{split}annot" / f"{index}.png")


def test_frames_of_different_sizes_keep_their_own(camvid, tmp_path, pixels):
    one_size = run(camvid, tmp_path).info["splits"]["test"]
    spoil_sizes(camvid)
    store = run(camvid, tmp_path)
    assert store.info["size"] is None
    assert store.info["sizes"] == {
        "different": 5,
        "smallest": [7, 5],
        "largest": [30, 8],
        "most_common": [12, 20],
    }
    own = {"different": 2, "smallest": [7, 5], "largest": [9, 9], "most_common": [9, 9]}
    assert store.info["splits"]["val"]["sizes"] == own
    size = list(store.split("test").labels.shape[1:])
    assert store.info["splits"]["test"] == one_size | {"size": size}
    seen = []
    for name in SPLITS:
        split = store.split(name)
        for index, id_ in enumerate(split.ids):
            image = pixels(camvid / name / f"{id_}.png")
            labels = pixels(camvid / f"{name}annot" / f"{id_}.png")
            assert np.array_equal(split.images[index], image)
            assert np.array_equal(split.labels[index], np.where(labels == 11, 255, labels))
            assert split.sizes[index].tolist() == list(labels.shape)
            seen.append(image.reshape(-1, 3))
    assert isinstance(store.split("test").images, np.ndarray)
    assert store.info["mean"] == np.round(np.concatenate(seen[:3]).mean(0)).tolist()
    store.verify()


def test_the_checksum_knows_the_sizes(camvid, tmp_path):
    spoil_sizes(camvid)
    before = run(camvid, tmp_path).checksum
    for folder in ("train", "trainannot"):
        path = camvid / folder / "1.png"
        same = np.asarray(Image.open(path))
        Image.fromarray(same.reshape(15, 16, *same.shape[2:])).save(path)
    assert run(camvid, tmp_path).checksum != before


def test_frames_are_views_slices_and_stacks():
    flat = np.arange(2 * (6 + 6 + 4)).reshape(-1, 2)
    frames = Frames(flat, np.array([[2, 3], [2, 3], [4, 1]]))
    assert np.shares_memory(frames[1], flat)
    assert frames[1].tolist() == flat[6:12].reshape(2, 3, 2).tolist()
    assert np.array(frames[0:2]).shape == (2, 2, 3, 2)
    assert [frame.shape for frame in frames[[2, 0]]] == [(4, 1, 2), (2, 3, 2)]
    assert frames[[2, 0]][1].tolist() == frames[0].tolist()
    assert same_size(sizes_of(frames), 0, 8) == slice(0, 2)
    assert same_size(sizes_of(frames), 2, 8) == slice(2, 3)
    assert same_size(sizes_of(np.zeros((5, 2, 3))), 4, 2) == slice(4, 5)


def save(name, change):
    def spoil(root):
        array = np.load(root / name)
        np.save(root / name, change(array))

    return spoil


def edit(change):
    def spoil(root):
        path = root / "dataset.json"
        info = json.loads(path.read_text())
        change(info)
        path.write_text(json.dumps(info))

    return spoil


def as_archive(name):
    def spoil(root):
        array = np.load(root / name)
        with (root / name).open("wb") as file:
            np.savez(file, array)

    return spoil


def garbled(name):
    def spoil(root):
        content = (root / name).read_bytes()
        (root / name).write_bytes(content.replace(b"{'descr'", b"{{{descr(", 1))

    return spoil


def set_label(labels, value):
    labels = labels.copy()
    labels[:, 0, 0] = value
    return labels


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (save("train/images.npy", lambda x: x.astype(np.float32)), "float32 instead of uint8"),
        (save("train/labels.npy", lambda x: x.astype(np.int64)), "int64 instead of uint8"),
        (save("train/images.npy", lambda x: x[:-1]), "images are .2, 12, 20, 3."),
        (save("train/labels.npy", lambda x: x[:-1]), "labels .2, 12, 20."),
        (save("train/images.npy", lambda x: x[..., :1]), "images are .3, 12, 20, 1."),
        (save("train/labels.npy", lambda x: x.ravel()), "not .N,H,W."),
        (save("train/labels.npy", lambda x: set_label(x, 11)), "a class that is none"),
        (lambda r: (r / "train/images.npy").unlink(), "No such file"),
        (lambda r: (r / "train/images.npy").write_bytes(b""), "no usable split"),
        (as_archive("train/images.npy"), "no usable split"),
        (garbled("train/images.npy"), "no usable split"),
        (edit(lambda i: i.update(size=None, sizes="x")), "sizes: "),
        (edit(lambda i: i.update(size=None, sizes={"most_common": "ab"})), "sizes.most_common"),
        (edit(lambda i: i.update(mean=None)), "mean: "),
        (edit(lambda i: i.update(frequencies=None)), "frequencies: "),
        (edit(lambda i: i.update(size=[12, 21])), "not of 12x21"),
        (edit(lambda i: i["splits"]["train"]["ids"].pop()), "train has 3 frames but not as many"),
        (edit(lambda i: i["splits"]["train"].update(ids=["a", "a", "b"])), "as many different"),
        (edit(lambda i: i["splits"]["train"].pop("sha256")), "splits.train.sha256"),
        (edit(lambda i: i.pop("splits")), "splits: Field required"),
        (edit(lambda i: i["splits"].pop("train")), "no usable split 'train' .dataset.json has"),
        (edit(lambda i: i.update(mean=[1, 2])), "mean"),
        (edit(lambda i: i.update(mean=[1, float("nan"), 2])), "no finite number"),
        (edit(lambda i: i.update(frequencies=[float("nan")] * 11)), "no finite number"),
        (edit(lambda i: i["frequencies"].pop()), "not as many frequencies"),
        (edit(lambda i: i["classes"].pop()), "not as many frequencies as classes"),
        (edit(lambda i: i["classes"][0].update(name="car")), "a class is there twice"),
        (edit(lambda i: i["classes"][0].pop("color")), "classes.0.color"),
    ],
)
def test_a_store_that_is_not_what_it_records_is_refused_on_opening(
    camvid, tmp_path, spoil, expected
):
    run(camvid, tmp_path)
    spoil(tmp_path / "store")
    with pytest.raises(InputError, match=expected) as caught:
        open_store(tmp_path / "store").split("train")
    assert "\n" not in str(caught.value)
    assert "dvc repro" in str(caught.value)


@pytest.mark.parametrize(
    "spoil",
    [
        save("train/sizes.npy", lambda x: x[:-1]),
        save("train/sizes.npy", lambda x: x.astype(float)),
        save("train/sizes.npy", lambda x: -x),
        as_archive("train/sizes.npy"),
        save("train/images.npy", lambda x: x[:-1]),
        save("train/labels.npy", lambda x: x[:-1]),
    ],
)
def test_a_store_of_several_sizes_is_checked_too(camvid, tmp_path, spoil):
    spoil_sizes(camvid)
    run(camvid, tmp_path)
    spoil(tmp_path / "store")
    with pytest.raises(InputError, match="no usable split 'train'"):
        open_store(tmp_path / "store").split("train")


@pytest.mark.parametrize("name", ["images", "labels"])
def test_verify_finds_one_other_pixel(camvid, tmp_path, name):
    store = run(camvid, tmp_path)
    store.verify()
    path = tmp_path / "store" / "val" / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="val holds other pixels than its checksum"):
        open_store(tmp_path / "store").verify()


def twice(camvid, source, target):
    """Save an image of one split into another one under its own name, as other bytes."""
    Image.open(camvid / source).save(camvid / target, compress_level=0)


def test_frames_that_are_trained_and_scored_are_refused(camvid, tmp_path, capsys):
    twice(camvid, "train/1.png", "test/2.png")
    how = "camvid", camvid, tmp_path / "store", SPLITS, ["train"]
    with pytest.raises(InputError, match=r"1 images are in train and in test .1 = 2.*allow_over"):
        prepare(*how, "test")
    assert not (tmp_path / "store").exists()
    prepare(*how, "test", allow_overlap=True)
    prepare(*how, "val")
    assert capsys.readouterr().err.count("1 images are in train and in test (1 = 2)") == 2


def test_black_frames_of_two_shapes_are_two_images(camvid, tmp_path):
    for split, size in (("train", (30, 20)), ("test", (20, 30))):
        Image.new("RGB", size).save(camvid / split / "0.png")
        Image.new("L", size, 1).save(camvid / f"{split}annot" / "0.png")
    prepare("camvid", camvid, tmp_path / "store", SPLITS, ["train"], "test")
    dataset = find("camvid")
    found = inspect(dataset, camvid, dataset.reading(), ["train", "test"], ["train"], "test")
    assert not found.problems + found.remarks


def test_a_split_that_is_trained_on_and_scored_is_refused(camvid, tmp_path, capsys):
    how = "camvid", camvid, tmp_path / "store", SPLITS, ["train", "test"], "test"
    with pytest.raises(InputError, match=r"'test' is both trained on and scored.*camvid\.allow_o"):
        prepare(*how)
    assert not (tmp_path / "store").exists()
    prepare(*how, allow_overlap=True)
    assert "split 'test' is both trained on and scored" in capsys.readouterr().err
    prepare("camvid", camvid, tmp_path / "store", SPLITS, ["train", "val"], "test")


def test_frames_in_two_splits_are_named_where_it_does_no_harm(camvid, tmp_path, capsys):
    twice(camvid, "train/1.png", "val/0.png")
    twice(camvid, "val/1.png", "test/0.png")
    prepare("camvid", camvid, tmp_path / "store", SPLITS, ["train"], "test")
    error = capsys.readouterr().err
    assert "1 images are in train and in val (1 = 0)" in error
    assert "1 images are in val and in test (1 = 0)" in error


def test_files_that_are_not_taken_are_named(camvid, tmp_path, capsys):
    (camvid / "train/notes.docx").write_text("x")
    run(camvid, tmp_path)
    assert "not taken are 1 no images by their suffix: train/notes.docx" in capsys.readouterr().err
