"""From a dataset as its owners ship it to the prepared store: decoded once, checked and counted."""

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from eacnet.data.images import image_size, read_image, read_labels
from eacnet.datasets.labels import IGNORED, described, lookup
from eacnet.datasets.raw import Frame, class_table, list_frames
from eacnet.errors import InputError
from eacnet.files import create_array, replacing_folder, write_json
from eacnet.progress import progress

T = TypeVar("T")
R = TypeVar("R")

# The files of a store, see eacnet.data.store.
HOLDS = ("dataset.json", "*/images.npy", "*/labels.npy")
PROTOCOLS = {
    "synthetic": "generated street scenes, Cityscapes label ids -> 19 train ids",
    "cityscapes": "fine annotations, label ids -> 19 train ids",
    "camvid": "SegNet's labels: 11 classes of 360x480, void ignored",
    "folder": "the folder's own class table",
}


def prepare(
    dataset: str, raw: Path, target: Path, splits: Sequence[str], train: Sequence[str]
) -> None:
    """Decode the splits of the dataset at `raw` into a store at `target`, all of it or nothing.

    Mean, standard deviation and class frequencies are taken from the splits in `train` alone. The
    mean is rounded to whole grey levels: padding an 8-bit image with it is then exactly the
    published "0 after mean subtraction".

    Raises:
        InputError: a file is missing, unreadable, of another size, or holds an unknown label; a
            split is empty or every pixel of it is ignored.
    """
    table = class_table(dataset, raw)
    frames = {split: list_frames(dataset, raw, split) for split in splits}
    _check_names(frames)
    size = _common_size([frame for split in splits for frame in frames[split]])
    classes = described(table)
    sums = np.zeros((2, 3), np.uint64)
    counts = np.zeros(256, np.int64)
    with replacing_folder(target, HOLDS) as folder:
        entries = {}
        for split in splits:
            checksum, split_sums, split_counts = _write_split(
                folder / split, frames[split], size, *lookup(table)
            )
            if split_counts[:IGNORED].sum() == 0:
                raise InputError(
                    f"every pixel of split {split!r} in {raw} is ignored; check its label files"
                )
            if split in train:
                sums += split_sums
                counts += split_counts
            ids = [frame.id for frame in frames[split]]
            entries[split] = {"frames": len(ids), "sha256": checksum, "ids": ids}
        pixels = int(counts.sum())
        mean = [int(total) / pixels for total in sums[0]]
        std = [math.sqrt(int(s) / pixels - m * m) for s, m in zip(sums[1], mean, strict=True)]
        shares = counts[: len(classes)] / counts[: len(classes)].sum()
        info = {
            "dataset": dataset,
            "protocol": PROTOCOLS[dataset],
            "size": list(size),
            "classes": classes,
            "mean": [float(round(m)) for m in mean],
            "std": [round(s, 4) for s in std],
            "frequencies": [round(float(share), 8) for share in shares],
            "splits": entries,
        }
        write_json(folder / "dataset.json", info)


def _check_names(frames: dict[str, list[Frame]]) -> None:
    """Refuse names that are no text now, and not in the report behind hours of training."""
    for frame in (frame for split in frames.values() for frame in split):
        try:
            frame.id.encode()
        except UnicodeEncodeError:
            raise InputError(f"{frame.image} has a name that is no UTF-8; rename it") from None


def _common_size(frames: list[Frame]) -> tuple[int, int]:
    """Return the (height, width) that all images and label files share."""
    expected = image_size(frames[0].image)
    for frame in frames:
        size, label_size = image_size(frame.image), image_size(frame.labels)
        if size != label_size:
            raise InputError(
                f"{frame.image} is {size[0]}x{size[1]}, but its labels are "
                f"{label_size[0]}x{label_size[1]}; make them the same size"
            )
        if size != expected:
            raise InputError(
                f"{frame.image} is {size[0]}x{size[1]}, but {frames[0].image.name} is "
                f"{expected[0]}x{expected[1]}; all frames need one size, resize them first"
            )
    return expected


def _write_split(
    folder: Path,
    frames: list[Frame],
    size: tuple[int, int],
    train_ids: np.ndarray,
    known: np.ndarray,
) -> tuple[str, np.ndarray, np.ndarray]:
    """Write one split; return checksum, [sum, sum of squares] per channel, pixels per train id."""
    folder.mkdir(parents=True)
    images = create_array(folder / "images.npy", np.uint8, (len(frames), *size, 3))
    labels = create_array(folder / "labels.npy", np.uint8, (len(frames), *size))
    levels = np.arange(256, dtype=np.uint64)
    digest = hashlib.sha256()
    sums = np.zeros((2, 3), np.uint64)
    counts = np.zeros(256, np.int64)

    def decode(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        return read_image(frame.image), read_labels(frame.labels, train_ids, known)

    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        decoded = _ahead(pool, decode, frames, 2 * threads)
        bar = progress(decoded, total=len(frames), desc=f"prepare {folder.name}", unit="frame")
        for index, (image, label) in enumerate(bar):
            images[index], labels[index] = image, label
            digest.update(image.tobytes())
            digest.update(label.tobytes())
            for channel in range(3):
                histogram = np.bincount(image[..., channel].ravel(), minlength=256)
                histogram = histogram.astype(np.uint64)
                sums[0, channel] += (histogram * levels).sum()
                sums[1, channel] += (histogram * levels * levels).sum()
            counts += np.bincount(label.ravel(), minlength=256)
    images.flush()
    labels.flush()
    return digest.hexdigest(), sums, counts


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
