"""Which file of a dataset's folder is which frame's, and which file is none's."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eacnet.datasets.record import Dataset, Reading
from eacnet.errors import InputError, one_line
from eacnet.files import real

SUFFIXES = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
LABEL_SUFFIXES = {".bmp", ".png", ".tif", ".tiff"}


@dataclass(frozen=True)
class Frame:
    """One image and its label file."""

    id: str
    image: Path
    labels: Path


@dataclass(frozen=True)
class Listing:
    """What lies in a dataset's folder.

    Attributes:
        frames: the frames of each split, sorted by id.
        images: the images of each split by id, sorted, also those without a label file.
        problems: of each split, one line for each file that has no counterpart or has two, or
            whose name is no text.
        doubled: of these, those of frames that have two images.
        left: files that are not taken, by the reason.
    """

    frames: dict[str, list[Frame]]
    images: dict[str, dict[str, Path]]
    problems: dict[str, list[str]]
    doubled: dict[str, list[str]]
    left: dict[str, list[Path]]

    def left_out(self) -> str:
        """Say in one line which files are not taken and why: how many, and the first of them."""
        return "; ".join(
            f"{len(paths)} {reason}: {', '.join(one_line(path.as_posix()) for path in paths[:3])}"
            + (", ..." if len(paths) > 3 else "")
            for reason, paths in sorted(self.left.items())
        )


def list_frames(dataset: Dataset, root: Path, reading: Reading | None = None) -> Listing:
    """List the frames of the dataset at `root`: images and label files of the same id.

    Suffixes may be in any case. A link to a file is taken as the file.

    Raises:
        InputError: a folder below `root` is a link to somewhere else.
    """
    reading = reading or dataset.reading()
    files: dict[str, dict[str, dict[str, Path]]] = defaultdict(lambda: {"image": {}, "labels": {}})
    problems: dict[str, list[str]] = defaultdict(list)
    doubled: dict[str, list[str]] = defaultdict(list)
    left: dict[str, list[Path]] = defaultdict(list)
    for path in _walk(root):
        relative = path.relative_to(root)
        role = _role(dataset, reading, relative)
        if isinstance(role, str):
            left[role].append(relative)
        elif role:
            kind, split, id_ = role
            other = files[split][kind].setdefault(id_, path)
            if other != path:
                what = "images" if kind == "image" else "label files"
                problems[split].append(
                    f"{other} and {path.relative_to(root)} are both {what} of frame {id_!r}; "
                    "keep one of them"
                )
                doubled[split] += problems[split][-1:] if kind == "image" else []
            elif not _is_text(id_):
                problems[split].append(
                    f"{one_line(path)} has a name that is no UTF-8 or holds control characters;"
                    " rename it"
                )
    frames = {}
    for split, found in sorted(files.items()):
        images, labels = found["image"], found["labels"]
        called = f" {reading.called}" if reading.called else ""
        no_labels = f"is an image without a label file{called}; add its labels or remove it"
        no_image = "is a label file without an image; add its image or remove it"
        problems[split] += _alone(images, labels, no_labels) + _alone(labels, images, no_image)
        both = sorted(images.keys() & labels.keys())
        frames[split] = [Frame(id_, images[id_], labels[id_]) for id_ in both]
    every = {split: dict(sorted(found["image"].items())) for split, found in files.items()}
    return Listing(frames, every, dict(problems), dict(doubled), dict(left))


def take(
    listing: Listing, dataset: Dataset, root: Path, splits: Sequence[str]
) -> dict[str, list[Frame]]:
    """Return the frames of some splits.

    Raises:
        InputError: a split is missing or empty, or a file of it has no counterpart or has two.
    """
    for split in splits:
        problems = listing.problems.get(split)
        if problems:
            more = f" (and {len(problems) - 1} more such)" if len(problems) > 1 else ""
            raise InputError(problems[0] + more)
        if not listing.frames.get(split):
            have = f"{root} has no frames in split {split!r}"
            what = have if listing.frames or listing.left else f"no dataset at {root}"
            left = f"; not taken: {listing.left_out()}" if listing.left else ""
            raise InputError(f"{what}; {dataset.how_to_get}{left}")
    return {split: listing.frames[split] for split in splits}


def _alone(some: dict[str, Path], others: dict[str, Path], what: str) -> list[str]:
    """Say `what` of each file that has no counterpart, or that one has almost its name."""
    lonely = {id_: path for id_, path in some.items() if id_ not in others}
    alike = {_folded(id_): path for id_, path in others.items() if id_ not in some}
    return [
        f"{path} and {alike[_folded(id_)]} have names that differ in case or in how accents are"
        " encoded; rename one as the other"
        if _folded(id_) in alike
        else f"{path} {what}"
        for id_, path in lonely.items()
    ]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def check_regular(root: Path) -> None:
    """Refuse what DVC can't read below `root`: it would wait for a pipe without end.

    Raises:
        InputError: a file there is a pipe, a device, a link that leads nowhere, or DVC's own.
    """
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in sorted(names)):
            if not path.is_file():
                what = "a link that leads nowhere" if path.is_symlink() else "no regular file"
                raise InputError(f"{path} is {what}; remove it")
            if path.name == ".dvcignore":
                raise InputError(f"{path}: DVC takes no such file in a dataset; remove it")


def _is_text(name: str) -> bool:
    """Whether a name can be written to the report that stands behind hours of training."""
    # Foreign bytes are read as halves of characters, surrogates.
    return not {unicodedata.category(character) for character in name} & {"Cc", "Cs"}


def _role(dataset: Dataset, reading: Reading, path: Path) -> tuple[str, str, str] | str | None:
    """Return (kind, split, id) of a file, why it is not taken, or None: it is not meant to be."""
    if re.fullmatch(dataset.others, path.as_posix()):
        return None
    if any(part.startswith(".") for part in path.parts):
        return "hidden"
    bare = path.with_suffix("").as_posix()
    patterns = {"image": dataset.images, "labels": reading.labels}
    for kind, suffixes in (("image", SUFFIXES), ("labels", LABEL_SUFFIXES)):
        match = re.fullmatch(patterns[kind], bare, re.DOTALL)
        if match is None:
            continue
        if path.suffix.lower() not in suffixes:
            what = "images" if kind == "image" else "label files"
            return f"no {what} by their suffix"
        split = dataset.split_of(match["id"]) if dataset.split_of else match["split"]
        return (kind, split, match["id"]) if split else "in no split"
    return "where no frames are looked for"


def _walk(root: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield all files below `root`, sorted, and folders that are named as if they were images.

    DVC hashes what a link to a file or the dataset's own folder leads to, but not what lies in a
    folder that is linked in further down: its content could change and nothing would rerun.
    """
    if not root.is_dir():
        return
    above = (*above, real(root))
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{root} can't be listed ({error.strerror})") from None
    for entry in entries:
        path = root / entry.name
        if not path.is_dir():  # the entry's own raises for links that lead in a circle
            yield path
            continue
        target = real(path)
        if entry.is_symlink() and not target.is_relative_to(above[0]):
            raise InputError(
                f"{path} is a link to the folder {target}, whose files DVC does not watch; put a "
                f"copy there, or links to the files by `cp -rs {target} {path}`"
            )
        if path.suffix.lower() in SUFFIXES:
            yield path
        if target not in above:
            yield from _walk(path, above)
