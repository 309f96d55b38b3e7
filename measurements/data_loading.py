"""Training samples a second and core: the prepared store against decoding every frame anew.

Both ways draw the same 512x1024 crops of the same 1024x2048 frames, scaled and flipped alike, in
one process and one thread, in turn. Files and arrays are small enough to stay in the page cache, so
no disk is measured. The third row does on the processor what training leaves to its device: floats,
less the mean.

    python measurements/data_loading.py
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from eacnet.benchmark.latency import interleave, summarise, timed
from eacnet.data.prepare import prepare
from eacnet.data.samples import Augmentation, Samples
from eacnet.data.store import open_store
from eacnet.datasets import find
from eacnet.datasets.listing import list_frames
from eacnet.machine import machine
from eacnet.scenes import write_dataset

FRAMES, EPOCHS, ROUNDS, SEED = 8, 3, 5, 1
SIZE = (1024, 2048)
HOW = Augmentation((512, 1024), (0.75, 1.0, 1.25, 1.5, 1.75, 2.0), (72, 82, 72))
DECODED, STORED, FLOATS = "decode everything", "prepared store", "prepared store, as floats"


def decode_everything(
    image: Path, labels: Path, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a sample as much published code does: the whole frame goes through every step."""
    scale = HOW.scales[random.integers(len(HOW.scales))]
    flip = bool(random.integers(2))
    size = (round(SIZE[1] * scale), round(SIZE[0] * scale))
    with Image.open(image) as file:
        pixels = file.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    with Image.open(labels) as file:
        classes = np.asarray(file.resize(size, Image.Resampling.NEAREST))
    values = np.asarray(pixels, np.float32)
    values -= np.array(HOW.fill, np.float32)
    top, left = (
        int(random.integers(side - crop + 1))
        for side, crop in zip(classes.shape, HOW.crop, strict=True)
    )
    inside = slice(top, top + HOW.crop[0]), slice(left, left + HOW.crop[1])
    values, classes = values[inside], classes[inside]
    if flip:
        values, classes = values[:, ::-1], classes[:, ::-1]
    return np.ascontiguousarray(values.transpose(2, 0, 1)), np.ascontiguousarray(classes)


def ways_of_drawing(raw: Path, store: Path) -> dict[str, Callable[[], None]]:
    """Return each way of drawing EPOCHS samples of every frame."""
    frames = list_frames(find("synthetic"), raw).frames["train"]
    samples = Samples([open_store(store).split("train")], HOW, SEED)
    mean = torch.tensor(HOW.fill, dtype=torch.float32)
    keys = [(epoch, frame) for epoch in range(EPOCHS) for frame in range(len(frames))]

    def decoded() -> None:
        for epoch, frame in keys:
            random = np.random.default_rng([SEED, epoch, frame])
            decode_everything(frames[frame].image, frames[frame].labels, random)

    def stored() -> None:
        for key in keys:
            samples[key]

    def floats() -> None:
        for key in keys:
            (samples[key][0] - mean).permute(2, 0, 1)

    return {DECODED: decoded, STORED: stored, FLOATS: floats}


def main() -> None:
    """Draw frames, time all ways, print a table."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        raw, store = Path(scratch, "raw"), Path(scratch, "store")
        write_dataset(raw, {"train": FRAMES}, *SIZE, SEED)
        prepare("synthetic", raw, store, ["train"], ["train"])
        ways = ways_of_drawing(raw, store)
        runs = {name: partial(timed, draw) for name, draw in ways.items()}
        times = interleave(runs, 1 + ROUNDS)
    samples = FRAMES * EPOCHS
    rates = {name: samples * summarise(rounds[1:])["fps"] for name, rounds in times.items()}
    here = machine()
    print(f"{here['cpu']['name']}, one of {here['cpu']['usable_cores']} cores")
    print(f"medians of {ROUNDS} rounds of {samples} samples")
    print(f"{'':27} {'samples/s':>9} {'ratio':>6}")
    for name, rate in rates.items():
        print(f"{name:27} {rate:9.1f} {rate / rates[DECODED]:6.1f}")


if __name__ == "__main__":
    main()
