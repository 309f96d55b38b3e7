import os
from pathlib import Path

import pytest
from dvc.fs import localfs
from dvc_data.hashfile.build import IgnoreInCollectedDirError, build
from dvc_data.hashfile.db import HashFileDB

from eacnet.datasets import find
from eacnet.datasets.listing import check_regular, list_frames, take
from eacnet.errors import InputError

FOLDER = find("folder")


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def ids(listing, split="train"):
    return [frame.id for frame in listing.frames[split]]


def test_suffixes_in_any_case_and_subfolders_are_taken(tmp_path):
    names = ["a.JPG", "b.jpeg", "c.Png", "d.TIF", "e.webp", "f.BMP", "g.ppm", "city/x.y.png"]
    touch(tmp_path, *(f"images/train/{name}" for name in names))
    touch(tmp_path, *(f"labels/train/{Path(name).with_suffix('.PNG')}" for name in names))
    listing = list_frames(FOLDER, tmp_path)
    assert ids(listing) == ["a", "b", "c", "city/x.y", "d", "e", "f", "g"]
    assert not listing.left
    assert not listing.problems["train"]


def test_every_file_that_is_not_taken_is_named_with_the_reason(tmp_path):
    touch(tmp_path, "images/train/a.png", "labels/train/a.png", "classes.csv", "README.md")
    for name in ("b.gif", "c.txt", "d", ".DS_Store", "._e.png", ".hidden/f.png"):
        touch(tmp_path, f"images/train/{name}")
    touch(tmp_path, "labels/train/g.jpg", "images/h.png", "images/extra/i.png", "j.png")
    listing = list_frames(FOLDER, tmp_path)
    assert ids(listing) == ["a"]
    assert {why: [str(path) for path in paths] for why, paths in listing.left.items()} == {
        "hidden": [
            "images/train/.DS_Store",
            "images/train/._e.png",
            "images/train/.hidden/f.png",
        ],
        "no images by their suffix": [
            "images/train/b.gif",
            "images/train/c.txt",
            "images/train/d",
        ],
        "no label files by their suffix": ["labels/train/g.jpg"],
        "where no frames are looked for": ["images/extra/i.png", "images/h.png", "j.png"],
    }
    touch(tmp_path, *(f"images/train/{n}.txt" for n in range(9)))
    assert "12 no images by their suffix: images/train/0.txt, " in (
        list_frames(FOLDER, tmp_path).left_out()
    )


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["images/train/b.jpg"], "b.jpg is an image without a label file"),
        (["labels/train/sub/a.png"], "sub/a.png is a label file without an image"),
        (["images/train/a.jpg"], "a.jpg and images/train/a.png are both images of frame 'a'"),
        (["images/train/a.PNG"], "a.PNG and images/train/a.png are both images"),
        (["labels/train/a.tif"], "a.png and labels/train/a.tif are both label files"),
        (["images/train/b.png/c.png"], "(b.png|c.png) is an image without a label file"),
        (["images/train/b.png", "images/train/c.png"], "and 1 more such"),
        (["images/train/A.png"], "A.png is an image without a label file"),
        (["images/train/B.png", "labels/train/b.png"], "B.png and .*b.png have names that differ"),
        (["images/train/e\u0301.png", "labels/train/\xe9.png"], "how accents are encoded; rename"),
        (["images/train/b\nc.png"], r"b\\nc.png has a name that .* holds control characters"),
    ],
)
def test_what_has_no_counterpart_or_two_is_refused(tmp_path, extra, expected):
    touch(tmp_path, "images/train/a.png", "labels/train/a.png", "images/val/x.png", *extra)
    listing = list_frames(FOLDER, tmp_path)
    with pytest.raises(InputError, match=expected):
        take(listing, FOLDER, tmp_path, ["train"])
    assert listing.problems["val"]  # of a split that is not used, nothing is refused


def test_a_link_that_leads_in_a_circle_is_a_file_that_is_none(tmp_path):
    touch(tmp_path, "images/train/a.png", "labels/train/a.png")
    (tmp_path / "images/train/b.png").symlink_to("b.png")
    problem = list_frames(FOLDER, tmp_path).problems["train"]
    assert problem == [
        f"{tmp_path}/images/train/b.png is an image without a label file; add its labels or"
        " remove it"
    ]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_what_dvc_could_not_read_is_refused(tmp_path, make):
    touch(tmp_path, "images/train/a.png")
    check_regular(tmp_path)
    make(tmp_path / "images/x")
    with pytest.raises(InputError, match=r"images/x is (no regular|a link that leads nowhere)"):
        check_regular(tmp_path)


def test_a_file_of_dvcs_own_is_refused_as_dvc_does(tmp_path):
    touch(tmp_path, "images/train/.dvcignore")
    with pytest.raises(IgnoreInCollectedDirError):
        build(HashFileDB(localfs, str(tmp_path / "db")), str(tmp_path), localfs, "md5")
    with pytest.raises(InputError, match=r"images/train/\.dvcignore: DVC takes no such file"):
        check_regular(tmp_path)


def test_a_missing_split_names_what_was_left_out(tmp_path):
    with pytest.raises(InputError, match=r"no dataset at .*; put images/"):
        take(list_frames(FOLDER, tmp_path), FOLDER, tmp_path, ["train"])
    touch(tmp_path, "images/train/a.gif")
    with pytest.raises(InputError, match=r"no frames in split 'train'.*not taken: 1 no .*a.gif"):
        take(list_frames(FOLDER, tmp_path), FOLDER, tmp_path, ["train"])


def test_linked_folders_are_refused_where_dvc_would_not_watch_them(tmp_path):
    elsewhere = touch(tmp_path / "elsewhere", "a.png")
    root = touch(tmp_path / "root", "images/train/a.png")
    (root / "labels").mkdir()
    (root / "labels/train").symlink_to(elsewhere)
    with pytest.raises(InputError, match=r"labels/train is a link .* does not watch; .*cp -rs"):
        list_frames(FOLDER, root)


def test_links_that_dvc_follows_are_followed(tmp_path):
    elsewhere = touch(tmp_path / "elsewhere", "images/train/a.png", "labels/train/b.png")
    (elsewhere / "labels/train/a.png").symlink_to(elsewhere / "labels/train/b.png")
    (elsewhere / "images/val").symlink_to("train")
    (elsewhere / "images/train/loop").symlink_to("../..")
    (elsewhere / "labels/train/b.png").rename(elsewhere / "labels/train/.b.png")
    (elsewhere / "labels/train/a.png").unlink()
    (elsewhere / "labels/train/a.png").symlink_to(".b.png")
    root = tmp_path / "root"
    root.symlink_to(elsewhere)
    listing = list_frames(FOLDER, root)
    assert ids(listing) == ["a"]
    assert listing.problems["val"] == [
        f"{root}/images/val/a.png is an image without a label file; add its labels or remove it"
    ]


def test_a_folder_that_can_not_be_listed_gets_one_line(tmp_path):
    touch(tmp_path, "images/train/a.png")
    (tmp_path / "images").chmod(0)
    if os.access(tmp_path / "images", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(InputError, match="images can't be listed"):
        list_frames(FOLDER, tmp_path)


def test_cityscapes_with_some_cities_one_folder_deeper_and_its_other_files(tmp_path):
    names = ["leftImg8bit/train/aachen/aachen_0_1_leftImg8bit.png"]
    names += [
        f"gtFine/train/aachen/aachen_0_1_gtFine_{kind}.png"
        for kind in ("labelIds", "labelTrainIds", "color", "instanceIds")
    ]
    names += ["gtFine/train/aachen/aachen_0_1_gtFine_polygons.json"]
    for root in (tmp_path / "plain", tmp_path / "deeper"):
        touch(root / "x" if root.name == "deeper" else root, *names)
        listing = list_frames(find("cityscapes"), root)
        assert ids(listing) == ["aachen_0_1"]
        assert not listing.left


def test_cityscapes_with_train_ids_alone_names_what_is_needed(tmp_path):
    touch(tmp_path, "leftImg8bit/train/x/a_0_1_leftImg8bit.png")
    touch(tmp_path, "gtFine/train/x/a_0_1_gtFine_labelTrainIds.png")
    cityscapes = find("cityscapes")
    with pytest.raises(InputError, match=r"without a label file \.\.\._gtFine_labelIds\.png; add"):
        take(list_frames(cityscapes, tmp_path), cityscapes, tmp_path, ["train"])


def test_cityscapes_with_train_extra_read_coarsely_by_choice(tmp_path):
    for split, name in (("train", "a_0_1"), ("train_extra", "b_0_1"), ("val", "c_0_1")):
        kinds = ["gtCoarse"] if split == "train_extra" else ["gtFine", "gtCoarse"]
        touch(tmp_path, f"leftImg8bit/{split}/x/{name}_leftImg8bit.png")
        for kind in kinds:
            for what in ("labelIds", "color"):
                touch(tmp_path, f"{kind}/{split}/x/{name}_{kind}_{what}.png")
    cityscapes = find("cityscapes")
    fine = list_frames(cityscapes, tmp_path)
    assert {split: len(frames) for split, frames in fine.frames.items()} == {
        "train": 1,
        "train_extra": 0,
        "val": 1,
    }
    with pytest.raises(
        InputError, match=r"b_0_1_leftImg8bit\.png is an image without a label file"
    ):
        take(fine, cityscapes, tmp_path, ["train_extra"])
    coarse = list_frames(cityscapes, tmp_path, cityscapes.reading("coarse"))
    frames = take(coarse, cityscapes, tmp_path, ["train", "train_extra", "val"])
    assert [frames[split][0].labels.name for split in frames] == [
        "a_0_1_gtFine_labelIds.png",
        "b_0_1_gtCoarse_labelIds.png",
        "c_0_1_gtFine_labelIds.png",
    ]


def test_images_without_labels_are_listed_as_images(tmp_path):
    touch(tmp_path, "images/test/b.png", "images/test/a.png", "labels/test/b.png")
    listing = list_frames(FOLDER, tmp_path)
    assert list(listing.images["test"]) == ["a", "b"]
    assert ids(listing, "test") == ["b"]
