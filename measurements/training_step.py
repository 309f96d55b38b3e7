"""Images a second of whole training steps: frames on disk or in the store in, updated weights out.

The plain form is what much published code does: PNGs are decoded one by one, whole frames scaled,
then cropped; NCHW, float32, eager, the attention matrix written out. Ours reads crops from the
prepared store and trains channels-last, compiled, in float32 and in bfloat16. Augmentation, loss
and optimiser are the same; steps of all forms are timed in turn.

    python measurements/training_step.py                                        # 360x480, batch 8
    python measurements/training_step.py --size 64 128 --batch 2 --rounds 2     # a rehearsal
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from eacnet.benchmark.latency import interleave, summarise, timed
from eacnet.config.recipe import Optimiser
from eacnet.data.prepare import prepare
from eacnet.data.samples import Augmentation, Batches, Samples, make_loader
from eacnet.data.store import open_store
from eacnet.datasets import find
from eacnet.datasets.listing import Frame, list_frames
from eacnet.machine import machine
from eacnet.models import EACNet, build_model
from eacnet.scenes import write_dataset
from eacnet.training.loop import Objective, make_optimiser
from eacnet.training.losses import CrossEntropy

CLASSES, SEED, WARM_UP = 11, 1, 2
SCALES = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
MEAN = (100.0, 103.0, 106.0)
ADAM = Optimiser(name="adam", lr=0.001, weight_decay=0.0002)
PLAIN = "plain"
# Name -> compiled, bfloat16, all trains or the calibration alone.
OURS = {
    "eager fp32": (False, False, True),
    "compiled fp32": (True, False, True),
    "compiled bf16": (True, True, True),
    "eager fp32, calibration alone": (False, False, False),
    "compiled fp32, calibration alone": (True, False, False),
}


class Plain(Objective):
    """The objective with the attention matrix written out."""

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of images float (B,3,h,w), mean subtracted, against labels (B,h,w)."""
        network: EACNet = self.network
        scores = network.calibration.written_out(network.coarse(images))
        return self.loss(network.upsample(scores, images.shape[-2:]), labels)


def decode(frame: Frame, how: Augmentation, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw a sample by decoding and scaling the whole frame."""
    with Image.open(frame.image) as image, Image.open(frame.labels) as labels:
        scale = how.scales[random.integers(len(how.scales))]
        size = tuple(round(side * scale) for side in image.size)
        pixels = image.convert("RGB").resize(size, Image.Resampling.BILINEAR)
        classes = labels.resize(size, Image.Resampling.NEAREST)
    values = np.asarray(pixels, np.float32) - np.array(how.fill, np.float32)
    ids = np.asarray(classes, np.int64) % CLASSES
    missing = [max(crop - side, 0) for crop, side in zip(how.crop, ids.shape, strict=True)]
    pad = [(0, missing[0]), (0, missing[1])]
    values, ids = np.pad(values, [*pad, (0, 0)]), np.pad(ids, pad, constant_values=255)
    top, left = (int(random.integers(s - c + 1)) for c, s in zip(how.crop, ids.shape, strict=True))
    inside = slice(top, top + how.crop[0]), slice(left, left + how.crop[1])
    values, ids = values[inside], ids[inside]
    if random.integers(2):
        values, ids = values[:, ::-1], ids[:, ::-1]
    return torch.tensor(values.transpose(2, 0, 1).copy()), torch.tensor(ids.copy())


def trainer(
    objective: Objective, batches: Callable[[], tuple[Tensor, Tensor]], autocast: bool
) -> Callable[[], None]:
    """Return one whole training step."""
    optimiser = make_optimiser(objective.network, ADAM)
    half = partial(torch.autocast, "cpu", torch.bfloat16)
    precision: Callable[[], AbstractContextManager] = half if autocast else nullcontext

    def step() -> None:
        images, labels = batches()
        with precision():
            loss = objective(images, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def training_steps(
    raw: Path, store: Path, how: Augmentation, batch: int, backbone: str, forms: list[str]
) -> dict[str, Callable[[], None]]:
    """Return a training step of each form."""
    frames = list_frames(find("synthetic"), raw).frames["train"]
    samples = Samples([open_store(store).split("train")], how, SEED)
    order = itertools.cycle(range(len(frames)))
    random = np.random.default_rng(SEED)

    def decoded() -> tuple[Tensor, Tensor]:
        drawn = [decode(frames[next(order)], how, random) for _ in range(batch)]
        return torch.stack([image for image, _ in drawn]), torch.stack([ids for _, ids in drawn])

    def stored() -> Callable[[], tuple[Tensor, Tensor]]:
        loader = make_loader(samples, Batches(len(frames), batch, SEED), workers=0, pin=False)
        endless = itertools.chain.from_iterable(loader for _ in itertools.count())
        return lambda: next(endless)

    def network() -> EACNet:
        torch.manual_seed(SEED)
        return build_model(backbone, CLASSES, "pooled").train()

    loss = CrossEntropy(torch.linspace(1, 10, CLASSES))
    steps = {PLAIN: trainer(Plain(network(), loss, list(MEAN)), decoded, autocast=False)}
    for name in forms:
        compiled, half, whole = OURS[name]
        objective = Objective(network().to(memory_format=torch.channels_last), loss, list(MEAN))
        if not whole:
            for part in (objective.network.backbone, objective.network.classifier):
                part.requires_grad_(False).eval()
        if compiled:
            objective.compile()
        steps[name] = trainer(objective, stored(), half)
    return steps


def main() -> None:
    """Draw frames, time all forms, print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs=2, default=(360, 480), metavar=("H", "W"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backbone", default="dab")
    parser.add_argument("--forms", nargs="*", choices=OURS, default=list(OURS))
    chosen = parser.parse_args()
    how = Augmentation(tuple(chosen.size), SCALES, tuple(map(int, MEAN)))
    with tempfile.TemporaryDirectory() as scratch:
        raw, store = Path(scratch, "raw"), Path(scratch, "store")
        write_dataset(raw, {"train": max(chosen.frames, chosen.batch)}, *chosen.size, SEED)
        prepare("synthetic", raw, store, ["train"], ["train"])
        relabel(store)
        steps = training_steps(raw, store, how, chosen.batch, chosen.backbone, chosen.forms)
        runs = {name: partial(timed, step) for name, step in steps.items()}
        times = interleave(runs, WARM_UP + chosen.rounds)
    rates = {
        name: chosen.batch * summarise(rounds[WARM_UP:])["fps"] for name, rounds in times.items()
    }
    here = machine()
    cores = f"{torch.get_num_threads()} threads of {here['cpu']['usable_cores']} cores"
    print(
        f"\n{here['cpu']['name']}, {cores}, PyTorch {torch.__version__}; {chosen.backbone} pooled"
    )
    size = f"{chosen.size[0]}x{chosen.size[1]}"
    print(f"{size}, batch {chosen.batch}, medians of {chosen.rounds} interleaved steps\n")
    print("| training step | images/s | ratio |\n| --- | ---: | ---: |")
    for name, rate in rates.items():
        print(f"| {name} | {rate:.2f} | {rate / rates[PLAIN]:.2f} |")


def relabel(store: Path) -> None:
    """Map the 19 classes of the drawn scenes onto CamVid's number of them, ignored pixels too."""
    path = store / "train" / "labels.npy"
    np.save(path, np.load(path) % CLASSES)


if __name__ == "__main__":
    main()
