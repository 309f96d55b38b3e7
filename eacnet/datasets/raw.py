"""Readers of datasets as their owners ship them: a frame's files, and their pixels."""

from dataclasses import dataclass
from pathlib import Path

from eacnet.datasets.labels import TABLES, Label, read_table
from eacnet.errors import InputError

HOW_TO_GET = {
    "camvid": "fetch it with `make camvid`, which takes up a copy that is there, too",
    "cityscapes": "register at cityscapes-dataset.com, then see data/raw/cityscapes/README.md",
    "folder": "put images/, labels/ and classes.csv there; see data/raw/folder/README.md",
}


@dataclass(frozen=True)
class Frame:
    """One image and its label file."""

    id: str
    image: Path
    labels: Path


def class_table(dataset: str, root: Path) -> tuple[Label, ...]:
    """Return the class table of `dataset`; `folder` brings its own in root/classes.csv."""
    return TABLES[dataset] if dataset in TABLES else read_table(root / "classes.csv")


def list_frames(dataset: str, root: Path, split: str) -> list[Frame]:
    """Return the frames of one split of the dataset at `root`, sorted by id.

    Layouts:
        cityscapes, synthetic: leftImg8bit/<split>/<city>/<id>_leftImg8bit.png and
            gtFine/<split>/<city>/<id>_gtFine_labelIds.png
        camvid (SegNet's): <split>/<id>.png and <split>annot/<id>.png
        folder: images/<split>/<id>.{png,jpg,jpeg} and labels/<split>/<id>.png

    Raises:
        InputError: the dataset or the split is missing or empty, or an image has no label file or
            a label file no image.
    """
    if dataset in ("cityscapes", "synthetic"):
        images = _by_id(root / "leftImg8bit" / split, "*/*_leftImg8bit.png", "_leftImg8bit")
        labels = _by_id(root / "gtFine" / split, "*/*_gtFine_labelIds.png", "_gtFine_labelIds")
    elif dataset == "camvid":
        images = _by_id(root / split, "*.png")
        labels = _by_id(root / f"{split}annot", "*.png")
    else:
        images = _by_id(root / "images" / split, "*.[pj][np]*g")
        labels = _by_id(root / "labels" / split, "*.png")
    if not images and not labels:
        have = root.is_dir() and any(path.is_dir() for path in root.iterdir())
        what = f"{root} has no frames in split {split!r}" if have else f"no dataset at {root}"
        raise InputError(f"{what}; {HOW_TO_GET.get(dataset, 'draw it with the prepare stage')}")
    _same_ids(images, labels, "an image without a label file", "add its labels or remove it")
    _same_ids(labels, images, "a label file without an image", "add its image or remove it")
    return [Frame(id_, images[id_], labels[id_]) for id_ in sorted(images)]


def _by_id(folder: Path, pattern: str, suffix: str = "") -> dict[str, Path]:
    return {path.stem.removesuffix(suffix): path for path in sorted(folder.glob(pattern))}


def _same_ids(these: dict[str, Path], those: dict[str, Path], what: str, remedy: str) -> None:
    alone = [path for id_, path in these.items() if id_ not in those]
    if alone:
        more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
        raise InputError(f"{alone[0]} is {what}{more}; {remedy}")
