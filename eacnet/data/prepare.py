"""From a dataset as its owners ship it to the prepared store: decoded once, checked and counted."""

import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from eacnet.data.images import read_image, read_labels
from eacnet.data.overlap import image_hash, is_leak, scored_in_training, shared_frames
from eacnet.data.store import Digest
from eacnet.datasets import find
from eacnet.datasets.labels import IGNORED, Label, described
from eacnet.datasets.listing import Frame, list_frames, take
from eacnet.errors import InputError, one_line
from eacnet.files import replacing_folder, write_json
from eacnet.progress import progress

T = TypeVar("T")
R = TypeVar("R")


# What every .npy file of this room's arrays begins with is written once their shape is known.
HEADER = 128
# The files of a store, see eacnet.data.store.
HOLDS = ("dataset.json", "*/images.npy", "*/labels.npy", "*/sizes.npy")


@dataclass(frozen=True)
class Decoded:
    """A frame: image uint8 (H,W,3), train ids uint8 (H,W), and what is counted of them."""

    image: np.ndarray
    labels: np.ndarray

    @cached_property
    def hash(self) -> bytes:
        """By which the same image is found in two splits."""
        return image_hash(self.image)

    @cached_property
    def sums(self) -> np.ndarray:
        """Sums of all pixels' red, green and blue, uint64 (3,)."""
        return self.image.reshape(-1, 3).sum(0, dtype=np.uint64)

    @cached_property
    def counts(self) -> np.ndarray:
        """Pixels of each train id, int64 (256,)."""
        return np.bincount(self.labels.ravel(), minlength=256)


@dataclass
class Written:
    """What has been written of a split: sizes and hashes by frame, sums and counts as above."""

    checksum: str
    sizes: list[tuple[int, int]]
    hashes: list[bytes]
    sums: np.ndarray
    counts: np.ndarray


def prepare(
    dataset: str,
    raw: Path,
    target: Path,
    splits: Sequence[str],
    train: Sequence[str],
    evaluate: str | None = None,
    reading: str | None = None,
    allow_overlap: bool = False,
) -> None:
    """Decode the splits of the dataset at `raw` into a store at `target`, all of it or nothing.

    Mean and class frequencies are taken from the splits in `train` alone. The mean is rounded to
    whole grey levels: padding an 8-bit image with it is then exactly the published "0 after mean
    subtraction". Files that are not taken, and frames that are in two splits, are named on stderr.

    Raises:
        InputError: a file is missing, unreadable, of another size than its labels, or holds an
            unknown label; a split is empty or every pixel of it is ignored; `evaluate`, or a
            frame of it under another name, is in `train`, unless `allow_overlap`.
    """
    if both := scored_in_training(train, evaluate):
        if not allow_overlap:
            raise InputError(
                f"{both}: that is no test; set datasets.{dataset}.evaluate to another split, or"
                f" datasets.{dataset}.allow_overlap to true if it may be scored all the same"
            )
        print(one_line(f"{raw}: {both}"), file=sys.stderr)
    record = find(dataset)
    how = record.reading(reading)
    listing = list_frames(record, raw, how)
    frames = take(listing, record, raw, splits)
    table = how.classes(raw)
    if listing.left:
        print(one_line(f"{raw}: not taken are {listing.left_out()}"), file=sys.stderr)
    for split in splits:
        maps = (read_labels(frame.labels, table, how.colours) for frame in frames[split])
        if all((labels == IGNORED).all() for labels in maps):
            remedy = record.withheld.get(split, "check its label files")
            raise InputError(f"every pixel of split {split!r} in {raw} is ignored; {remedy}")

    with replacing_folder(target, HOLDS) as folder:
        written: dict[str, Written] = {}
        for split in splits:
            decode = partial(_decode, table=table, colours=how.colours)
            written[split] = _write_split(folder / split, frames[split], decode)
            for other in splits[: splits.index(split)]:
                pair = {name: (frames[name], written[name].hashes) for name in (other, split)}
                shared = shared_frames(pair)
                if not shared:
                    continue
                if is_leak({other, split}, train, evaluate) and not allow_overlap:
                    raise InputError(
                        f"{shared}; remove them, or set datasets.{dataset}.allow_overlap to "
                        "true if they may be scored all the same"
                    )
                print(one_line(f"{raw}: {shared}"), file=sys.stderr)
        classes = described(table)
        size = _sizes([size for part in written.values() for size in part.sizes])
        entries = {
            split: {
                "frames": len(frames[split]),
                "sha256": part.checksum,
                "ids": [frame.id for frame in frames[split]],
                **({} if size["size"] else _sizes(part.sizes)),
            }
            for split, part in written.items()
        }
        info = {
            "dataset": dataset,
            "protocol": how.protocol,
            **size,
            "classes": classes,
            **_statistics([written[split] for split in train], len(classes)),
            "splits": entries,
        }
        write_json(folder / "dataset.json", info)


def _decode(frame: Frame, table: tuple[Label, ...], colours: bool) -> Decoded:
    """Read a frame, and count it while still in a thread of its own."""
    image = read_image(frame.image)
    labels = read_labels(frame.labels, table, colours)
    if image.shape[:2] != labels.shape:
        raise InputError(
            f"{frame.image} is {image.shape[0]}x{image.shape[1]}, but its labels are "
            f"{labels.shape[0]}x{labels.shape[1]}; make them the same size"
        )
    decoded = Decoded(image, labels)
    _ = decoded.hash, decoded.sums, decoded.counts
    return decoded


def _write_split(folder: Path, frames: list[Frame], decode: Callable[[Frame], Decoded]) -> Written:
    """Write the arrays of one split, frame by frame."""
    folder.mkdir(parents=True)
    digest = Digest()
    part = Written("", [], [], np.zeros(3, np.uint64), np.zeros(256, np.int64))
    threads = os.cpu_count() or 1
    with (
        (folder / "images.npy").open("wb") as images,
        (folder / "labels.npy").open("wb") as labels,
        ThreadPoolExecutor(threads) as pool,
    ):
        images.write(bytes(HEADER))
        labels.write(bytes(HEADER))
        decoded = _ahead(pool, decode, frames, 2 * threads)
        for frame in progress(
            decoded, total=len(frames), desc=f"prepare {folder.name}", unit="frame"
        ):
            images.write(frame.image)
            labels.write(frame.labels)
            digest.add(frame.image, frame.labels)
            part.sizes.append(frame.labels.shape)
            part.hashes.append(frame.hash)
            part.sums += frame.sums
            part.counts += frame.counts
        sizes = np.array(part.sizes, np.int64)
        one = (sizes == sizes[0]).all()
        shape = (len(sizes), *part.sizes[0]) if one else (int(sizes.prod(1).sum()),)
        _write_header(labels, shape)
        _write_header(images, (*shape, 3))
    if not one:
        np.save(folder / "sizes.npy", sizes)
    part.checksum = digest.hexdigest(sizes)
    return part


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Complete a .npy file that has HEADER bytes and behind them uint8 values."""
    header = BytesIO()
    what = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, what)
    if len(header.getvalue()) != HEADER:
        raise ValueError(f"the header of an array of {shape} has {len(header.getvalue())} bytes")
    file.seek(0)
    file.write(header.getvalue())


def _sizes(sizes: list[tuple[int, int]]) -> dict[str, Any]:
    """Return the (height, width) that all frames share, or null and what sizes there are."""
    often = Counter(sizes).most_common()
    if len(often) == 1:
        return {"size": list(often[0][0])}
    by_area = sorted(often, key=lambda entry: (entry[0][0] * entry[0][1], entry[0]))
    summary = {
        "different": len(often),
        "smallest": list(by_area[0][0]),
        "largest": list(by_area[-1][0]),
        "most_common": list(often[0][0]),
    }
    return {"size": None, "sizes": summary}


def _statistics(parts: list[Written], num_classes: int) -> dict[str, Any]:
    """Return mean and class frequencies."""
    counts = sum(part.counts for part in parts)
    sums = sum(part.sums for part in parts)
    shares = counts[:num_classes] / counts[:num_classes].sum()
    return {
        "mean": [float(round(int(total) / int(counts.sum()))) for total in sums],
        "frequencies": [round(float(share), 8) for share in shares],
    }


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], most: int
) -> Iterator[R]:
    """Yield work(item) in order, with at most `most` items begun and not yet yielded.

    `pool.map` begins all at once: results pile up in memory, and an interrupt waits for all.
    """
    begun: deque[Future[R]] = deque()
    for item in items:
        begun.append(pool.submit(work, item))
        if len(begun) == most:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
