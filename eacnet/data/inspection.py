"""What a person wants to know of a dataset before training on it for hours."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from eacnet.data.images import UNLISTED, read_image, read_values
from eacnet.data.overlap import image_hash, is_leak, scored_in_training, shared_frames
from eacnet.datasets.labels import IGNORED, Label, lookup
from eacnet.datasets.listing import Frame, Listing, check_regular, list_frames, take
from eacnet.datasets.record import Dataset, Reading
from eacnet.errors import InputError, one_line
from eacnet.progress import progress


@dataclass
class Survey:
    """What the files of one split hold.

    Attributes:
        frames: those that can be read.
        sizes: how many frames have which (height, width).
        hashes: of the frames' images.
        pixels: by what label files hold, see `read_values`: how many pixels have it.
        images: ... and how many label files have it.
    """

    frames: list[Frame] = field(default_factory=list)
    sizes: Counter = field(default_factory=Counter)
    hashes: list[bytes] = field(default_factory=list)
    pixels: Counter = field(default_factory=Counter)
    images: Counter = field(default_factory=Counter)

    def all_ignored(self, table: tuple[Label, ...]) -> bool:
        """Whether no pixel has a label of `table` that is trained."""
        return not any(self.pixels[x.id] for x in table if x.train_id != IGNORED)


@dataclass
class Inspection:
    """A dataset's folder as it was found.

    Attributes:
        listing: which files are frames, and which are not taken.
        table: what the values of label files mean.
        surveys: of each split.
        problems: one line for each reason for which the stages raw or prepare would refuse it.
        remarks: one line for each thing that it would take, but that a person should know.
    """

    listing: Listing
    table: tuple[Label, ...]
    surveys: dict[str, Survey]
    problems: list[str]
    remarks: list[str]


def inspect(
    dataset: Dataset,
    root: Path,
    reading: Reading,
    splits: Sequence[str],
    train: Sequence[str],
    evaluate: str | None,
    allow_overlap: bool = False,
) -> Inspection:
    """Read all frames of the dataset at `root` that the prepare stage would read.

    Raises:
        InputError: it can't be looked through: no class table, or a folder that is linked in.
    """
    listing, table = list_frames(dataset, root, reading), reading.classes(root)
    found = Inspection(listing, table, {}, [], [])
    for split in splits:
        try:
            take(listing, dataset, root, [split])
        except InputError as error:
            found.problems += listing.problems.get(split) or [str(error)]
        survey = found.surveys[split] = _survey(found, split, reading)
        if survey.frames and survey.all_ignored(table):
            remedy = dataset.withheld.get(split, "check its label files")
            found.problems.append(f"every pixel of split {split!r} is ignored; {remedy}")
    try:
        check_regular(root)
    except InputError as error:
        found.problems.append(str(error))
    if listing.left:
        found.remarks.append(f"not taken are {listing.left_out()}")
    if both := scored_in_training(train, evaluate):
        (found.remarks if allow_overlap else found.problems).append(both)
    for names in combinations(splits, 2):
        pair = {name: (found.surveys[name].frames, found.surveys[name].hashes) for name in names}
        shared = shared_frames(pair)
        if shared:
            refused = is_leak(set(names), train, evaluate) and not allow_overlap
            (found.problems if refused else found.remarks).append(shared)
    known = {frame.id for survey in found.surveys.values() for frame in survey.frames}
    found.remarks += [f"{id_}: {why}" for id_, why in dataset.suspect.items() if id_ in known]
    return found


def _survey(found: Inspection, split: str, reading: Reading) -> Survey:
    """Read the frames of a split; what is wrong with them goes to `found.problems`."""

    def read(frame: Frame) -> tuple[tuple[int, int], bytes, dict[int, int]] | str:
        try:
            image = read_image(frame.image)
            values = read_values(frame.labels, found.table, reading.colours)
        except InputError as error:
            return str(error)
        if image.shape[:2] != values.shape:
            return (
                f"{frame.image} is {_text(image.shape)}, but its labels are {_text(values.shape)}"
            )
        counts = np.bincount(values.ravel(), minlength=UNLISTED + 1)
        held = {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
        return values.shape, image_hash(image), held

    survey = Survey()
    _, known = lookup(found.table)
    unknown: dict[int, Frame] = {}
    frames = found.listing.frames.get(split, [])
    with ThreadPoolExecutor() as pool:
        results = progress(
            pool.map(read, frames), total=len(frames), desc=f"inspect {split}", unit="frame"
        )
        for frame, result in zip(frames, results, strict=True):
            if isinstance(result, str):
                found.problems.append(result)
                continue
            size, hash_, held = result
            survey.frames.append(frame)
            survey.sizes[size] += 1
            survey.hashes.append(hash_)
            survey.pixels.update(held)
            survey.images.update(held.keys())
            for value in held:
                if value == UNLISTED or not known[value]:
                    unknown.setdefault(value, frame)
    for value, frame in sorted(unknown.items()):
        what = "colours" if value == UNLISTED else f"label id {value}"
        found.problems.append(
            f"{what} that the class table does not list: in {survey.images[value]} files of "
            f"{split} ({survey.pixels[value]} pixels), such as {frame.labels}"
        )
    return survey


def lines(found: Inspection) -> Iterator[str]:
    """Say in plain text what was found."""
    for split, survey in found.surveys.items():
        sizes = ", ".join(f"{_text(size)} ({n})" for size, n in survey.sizes.most_common(4))
        more = f" and {len(survey.sizes) - 4} other sizes" if len(survey.sizes) > 4 else ""
        yield f"{split:6} {len(survey.frames):6} frames   {sizes}{more}"
    yield ""
    heading = "".join(f" {split + ' pixels':>13} {'images':>7}" for split in found.surveys)
    yield f"{'label':22}{'trained as':14}{heading}"
    for label in sorted(found.table, key=lambda label: label.train_id):
        shares = ""
        for survey in found.surveys.values():
            share = 100 * survey.pixels[label.id] / max(survey.pixels.total(), 1)
            shares += f" {share:11.3f} % {survey.images[label.id]:7}"
        trained = "ignored" if label.train_id == IGNORED else f"class {label.train_id}"
        yield f"{label.name[:21]:22}{trained:14}{shares}"
    for title, entries in (("Worth knowing", found.remarks), ("Refused", found.problems)):
        if entries:
            yield from ("", f"{title}:", *(f"- {one_line(entry)}" for entry in entries))


def _text(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"
