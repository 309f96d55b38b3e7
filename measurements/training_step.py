"""Images a second of whole training steps: frames on disk or in the store in, updated weights out.

The plain form is what much published code does: PNGs are decoded one by one, whole frames scaled,
then cropped; NCHW, float32, eager, the attention matrix written out. Ours reads crops from the
prepared store and trains channels-last, compiled, in float32 and in bfloat16. Augmentation, loss
and optimiser are the same; steps of all forms are timed in turn.

On a GPU the plain form's frames are decoded by as many loader processes as there are cores but one,
ahead of the step that takes them; ours lie in the GPU's memory and are cut there.

    python measurements/training_step.py                                        # 360x480, batch 8
    python measurements/training_step.py --size 64 128 --batch 2 --rounds 2     # a rehearsal
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from eacnet.benchmark.latency import interleave, summarise, timed
from eacnet.config.recipe import Optimiser
from eacnet.data.device import DeviceLoader
from eacnet.data.prepare import prepare
from eacnet.data.samples import Augmentation, Batches, Samples, make_loader
from eacnet.data.store import open_store
from eacnet.datasets import find
from eacnet.datasets.listing import Frame, list_frames
from eacnet.machine import device_name, machine, pick_device, usable_cores
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


class Decoded(Dataset):
    """So many samples, frame after frame and again, each decoded when it is asked for."""

    def __init__(self, frames: Sequence[Frame], how: Augmentation, count: int) -> None:
        self.frames, self.how, self.count = frames, how, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        random = np.random.default_rng((SEED, number))
        return decode(self.frames[number % len(self.frames)], self.how, random)


def trainer(
    objective: Objective,
    batches: Callable[[], tuple[Tensor, Tensor]],
    autocast: bool,
    device: torch.device,
) -> Callable[[], None]:
    """Return one whole training step."""
    optimiser = make_optimiser(objective.network, ADAM)
    half = partial(torch.autocast, device.type, torch.bfloat16)
    precision: Callable[[], AbstractContextManager] = half if autocast else nullcontext

    def step() -> None:
        images, labels = (each.to(device, non_blocking=True) for each in batches())
        with precision():
            loss = objective(images, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def training_steps(
    raw: Path,
    store: Path,
    how: Augmentation,
    batch: int,
    backbone: str,
    forms: list[str],
    rounds: int,
    device: torch.device,
) -> dict[str, Callable[[], None]]:
    """Return a training step of each form, which can be called `rounds` times."""
    frames = list_frames(find("synthetic"), raw).frames["train"]
    samples = Samples([open_store(store).split("train")], how, SEED)
    on_gpu = device.type == "cuda"

    def decoded() -> Callable[[], tuple[Tensor, Tensor]]:
        drawn = Decoded(frames, how, batch * rounds)
        workers = usable_cores() - 1 if on_gpu else 0
        batches = iter(DataLoader(drawn, batch, num_workers=workers, pin_memory=on_gpu))
        return lambda: next(batches)

    def stored() -> Callable[[], tuple[Tensor, Tensor]]:
        batches = Batches(len(frames), batch, SEED)
        loader = (
            DeviceLoader(samples, batches, device)
            if on_gpu
            else make_loader(samples, batches, workers=0, pin=False)
        )
        endless = itertools.chain.from_iterable(loader for _ in itertools.count())
        return lambda: next(endless)

    def network() -> EACNet:
        torch.manual_seed(SEED)
        return build_model(backbone, CLASSES, "pooled").train()

    loss = CrossEntropy(torch.linspace(1, 10, CLASSES))
    plain = Plain(network(), loss, list(MEAN)).to(device)
    steps = {PLAIN: trainer(plain, decoded(), autocast=False, device=device)}
    for name in forms:
        compiled, half, whole = OURS[name]
        objective = Objective(network().to(memory_format=torch.channels_last), loss, list(MEAN))
        objective.to(device)
        if not whole:
            for part in (objective.network.backbone, objective.network.classifier):
                part.requires_grad_(False).eval()
        if compiled:
            objective.compile(mode="reduce-overhead" if on_gpu else None)
        steps[name] = trainer(objective, stored(), half, device)
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
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    chosen = parser.parse_args()
    device = pick_device(chosen.device, "--device")
    synchronise = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    rounds = WARM_UP + chosen.rounds
    how = Augmentation(tuple(chosen.size), SCALES, tuple(map(int, MEAN)))
    with tempfile.TemporaryDirectory() as scratch:
        raw, store = Path(scratch, "raw"), Path(scratch, "store")
        write_dataset(raw, {"train": max(chosen.frames, chosen.batch)}, *chosen.size, SEED)
        prepare("synthetic", raw, store, ["train"], ["train"])
        relabel(store)
        steps = training_steps(
            raw, store, how, chosen.batch, chosen.backbone, chosen.forms, rounds, device
        )
        runs = {name: partial(timed, step, synchronise) for name, step in steps.items()}
        times = interleave(runs, rounds)
    rates = {
        name: chosen.batch * summarise(rounds[WARM_UP:])["fps"] for name, rounds in times.items()
    }
    here = machine()
    cores = f"{torch.get_num_threads()} threads of {here['cpu']['usable_cores']} cores"
    name = device_name(device)
    print(f"\n{name}, {cores}, PyTorch {torch.__version__}; {chosen.backbone} pooled")
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
