r"""What a calibration could see, tried on frozen features: from this came the calibration `edge`.

The backbone dab is trained on CamVid's train split alone, then frozen; each candidate trains on top
of it for a few epochs of whole frames as they are and is scored on val. One seed each: this chose
what to try with six seeds on test (docs/ablations.md), and is no result itself.

    dvc exp run -S dataset=camvid -S variant=_cpu -S model.calib=false \
      -S 'datasets.camvid.train=[train]' -S datasets.camvid.evaluate=val train
    python measurements/edge_candidates.py models/camvid_cpu/main.safetensors
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.config.recipe import Schedule
from eacnet.data.store import Split, open_store
from eacnet.evaluation.counts import BANDS
from eacnet.evaluation.evaluate import count
from eacnet.evaluation.scores import boundary_f1, mean_iou
from eacnet.layout import PREPARED
from eacnet.models import EACNet, load_model
from eacnet.models.edge import NEIGHBOURS, Edge
from eacnet.models.network import make_calibration
from eacnet.provenance import cpu_name
from eacnet.training.losses import CrossEntropy, class_weights
from eacnet.training.schedule import learning_rate

BATCH = 4


class Candidate(nn.Module):
    """Of coarse scores, features at 1/8 and 1/4 (of dab) and the image: scores, finer or not."""

    def __init__(self, num_classes: int, calibration: str = "none", refit: bool = False) -> None:
        super().__init__()
        self.calibration = make_calibration(calibration, num_classes)
        self.calibration.reset_parameters()
        self.refit = _zero(nn.Conv2d(259, num_classes, 1)) if refit else None

    def scores(self, coarse: Tensor, eighth: Tensor) -> Tensor:
        """Return the coarse scores, or those that a second classifier adds to."""
        return coarse + self.refit(eighth) if self.refit is not None else coarse

    def forward(self, coarse: Tensor, eighth: Tensor, quarter: Tensor, image: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w)."""
        evidence = self.scores(coarse, eighth)
        if self.calibration.guide is not None:
            evidence = torch.cat((evidence, self.calibration.guide(image)), 1)
        return self.calibration(evidence)


class Guided(Candidate):
    """`edge` with logits that a single convolution reads from the backbone's features."""

    def __init__(self, num_classes: int, sees: str, refit: bool = False) -> None:
        super().__init__(num_classes, refit=refit)
        self.sees = sees
        self.mixture = Edge(num_classes)
        del self.mixture.guide
        kind = {"eighth": (259, 4 * NEIGHBOURS, 1), "quarter": (131, NEIGHBOURS, 3, 1, 1)}[sees]
        self.look = _zero(nn.Conv2d(*kind))

    def forward(self, coarse: Tensor, eighth: Tensor, quarter: Tensor, image: Tensor) -> Tensor:
        """Mix the neighbours of scores (B,K,h,w) to scores (B,K,2h,2w)."""
        if self.sees == "eighth":
            logits = self.look(eighth)
        else:
            logits = F.pixel_unshuffle(self.look(quarter), 2)
            logits = logits.unflatten(1, (NEIGHBOURS, 4)).transpose(1, 2).flatten(1, 2)
        return self.mixture.calibrate(torch.cat((self.scores(coarse, eighth), logits), 1))


CANDIDATES = {
    "nothing": lambda k: Candidate(k),
    "`pooled`, the paper's attention": lambda k: Candidate(k, "pooled"),
    "`point`": lambda k: Candidate(k, "point"),
    "`local`": lambda k: Candidate(k, "local"),
    "a second classifier of the features": lambda k: Candidate(k, refit=True),
    "... and `pooled`": lambda k: Candidate(k, "pooled", refit=True),
    "mixture of neighbours, from features at 1/8": lambda k: Guided(k, "eighth"),
    "mixture, from features at 1/4": lambda k: Guided(k, "quarter"),
    "... and a second classifier": lambda k: Guided(k, "quarter", refit=True),
    "mixture, from the image: `edge`": lambda k: Candidate(k, "edge"),
    "... and a second classifier ": lambda k: Candidate(k, "edge", refit=True),
}


def main() -> None:
    """Train and score each candidate; print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path, help="dab without calibration, trained on train")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    model = load_model(arguments.weights).eval()
    store = open_store(PREPARED / "camvid")
    train, val = (Frozen(model, store.split(name)) for name in ("train", "val"))
    print(
        f"{cpu_name()}, {torch.get_num_threads()} threads, {arguments.weights}, {vars(arguments)}"
    )
    print("| on top of the frozen features | parameters | mIoU | within 5 px | boundary F1 | s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, made in CANDIDATES.items():
        torch.manual_seed(arguments.seed)
        candidate, start = made(model.num_classes), time.perf_counter()
        trained = sum(parameter.numel() for parameter in candidate.parameters())
        if trained:
            _train(candidate, train, arguments)
        scores = " | ".join(f"{score:.2f}" for score in _scores(candidate, val))
        seconds = time.perf_counter() - start
        print(f"| {name.strip()} | {trained:,} | {scores} | {seconds:.0f} |", flush=True)


class Frozen:
    """Frames of a split with the frozen features of each."""

    @torch.no_grad()
    def __init__(self, model: EACNet, split: Split) -> None:
        self.split, self.mean = split, torch.tensor(model.card.mean)
        self.num_classes, self.features = model.num_classes, []
        kept: list[Tensor] = []
        quarter = model.backbone.fuse2
        hook = quarter.register_forward_hook(lambda module, inputs, output: kept.append(output))
        for index in range(len(split.images)):
            with torch.autocast("cpu", torch.bfloat16):
                eighth = model.backbone(self.images([index]))
            coarse = model.classifier(eighth.float())
            self.features.append([each[0].half() for each in (coarse, eighth, kept.pop())])
        hook.remove()

    def images(self, frames: list[int]) -> Tensor:
        """Return images (B,3,H,W) less the mean."""
        pixels = torch.from_numpy(np.stack([self.split.images[index] for index in frames]))
        return (pixels - self.mean).permute(0, 3, 1, 2)

    def labels(self, frames: list[int]) -> Tensor:
        """Return train ids uint8 (B,H,W)."""
        return torch.from_numpy(np.stack([self.split.labels[index] for index in frames]))

    def logits(self, candidate: nn.Module, frames: list[int]) -> Tensor:
        """Return what a candidate makes of frames, at their size."""
        parts = zip(*(self.features[index] for index in frames), strict=True)
        scores = candidate(*(torch.stack(each).float() for each in parts), self.images(frames))
        return F.interpolate(scores, self.split.labels[0].shape, mode="bilinear")


def _train(candidate: nn.Module, train: Frozen, how: argparse.Namespace) -> None:
    schedule = Schedule(warmup_iterations=50, warmup_start=0.02, power=0.9, step="iteration")
    counts = sum(np.bincount(each.ravel(), minlength=256) for each in train.split.labels)
    counts = counts[: train.num_classes]
    loss = CrossEntropy(class_weights("log", (counts / counts.sum()).tolist()))
    optimiser = torch.optim.Adam(candidate.parameters(), how.lr, weight_decay=2e-4)
    random, steps = np.random.default_rng(how.seed), len(train.features) // BATCH
    candidate.train()
    for epoch in range(how.epochs):
        order = random.permutation(len(train.features))
        for step in range(steps):
            lr = learning_rate(schedule, how.lr, epoch * steps + step, how.epochs, steps)
            for group in optimiser.param_groups:
                group["lr"] = lr
            frames = order[step * BATCH : step * BATCH + BATCH].tolist()
            optimiser.zero_grad()
            loss(train.logits(candidate, frames), train.labels(frames).long()).backward()
            optimiser.step()


@torch.no_grad()
def _scores(candidate: nn.Module, val: Frozen) -> tuple[float, float, float]:
    candidate.eval()
    counts = None
    for index in range(len(val.features)):
        classes = val.logits(candidate, [index]).argmax(1).to(torch.uint8)
        one = count(classes, val.labels([index]), val.num_classes)
        counts = one.room(len(val.features)) if counts is None else counts
        counts.put(index, one)
    band = counts.bands[:, BANDS.index(5)].sum(0)
    found = mean_iou(counts.confusion.sum(0)), mean_iou(band), boundary_f1(counts.boundary).mean()
    return tuple(100 * float(score) for score in found)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


if __name__ == "__main__":
    main()
