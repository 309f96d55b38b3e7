"""The training loop, from seeded weights to the last epoch's weights."""

import atexit
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn
from tqdm import tqdm

from eacnet.config.params import Hardware
from eacnet.config.recipe import Optimiser, Recipe
from eacnet.data.device import DeviceLoader, lives_on_device
from eacnet.data.samples import Batches, Samples, make_loader
from eacnet.errors import InputError
from eacnet.files import set_aside
from eacnet.machine import usable_cores
from eacnet.progress import progress
from eacnet.training.auxiliary import with_auxiliary
from eacnet.training.average import Average
from eacnet.training.schedule import learning_rate
from eacnet.training.state import Epoch, Training

# Losses are read from the device this often: soon enough to stop, without a wait each step.
CHECK_EVERY = 20


class Objective(nn.Module):
    """From a batch as it is stored to its loss, in one module that can be compiled as a whole."""

    def __init__(self, network: nn.Module, loss: nn.Module, mean: list[float]) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.register_buffer("mean", torch.tensor(mean), persistent=False)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the scalar loss of images uint8 (B,h,w,3) against labels uint8 (B,h,w)."""
        # Channels are moved, not copied: the stored order is PyTorch's channels-last.
        pixels = (images - self.mean).permute(0, 3, 1, 2)
        heads = getattr(self.network, "auxiliary", None)
        if heads is None:
            return self.loss(self.network(pixels).float(), labels.long())
        logits, others = self.network.with_auxiliary(pixels)
        others = {name: each.float() for name, each in others.items()}
        return with_auxiliary(self.loss, heads, logits.float(), others, labels.long())


def make_optimiser(
    network: nn.Module, how: Optimiser, calibration_lr: float = 1.0
) -> torch.optim.Optimizer:
    """Return the optimiser over all parameters that train, grouped by the factor of their rate."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = calibration_lr if name.startswith("calibration.") else 1.0
            groups.setdefault(factor, []).append(parameter)
    what = [{"params": group, "factor": factor} for factor, group in groups.items()]
    if how.name == "sgd":
        return torch.optim.SGD(what, how.lr, momentum=how.momentum, weight_decay=how.weight_decay)
    kind = torch.optim.AdamW if how.name == "adamw" else torch.optim.Adam
    return kind(what, how.lr, weight_decay=how.weight_decay)


def make_fabric(hardware: Hardware, precision: str) -> Fabric:
    """Return Lightning Fabric, started in every training process.

    bf16 is the backbone's: `Calibration` and the loss run in float32, and `DepthwiseConv2d` tells
    how DABNet's training in bf16 on a CPU used to end in NaN.

    Raises:
        InputError: the machine has no such device, or fewer of them.
    """
    on_cpu = hardware.accelerator == "cpu" or not torch.cuda.is_available()
    if on_cpu and hardware.devices > usable_cores():
        raise InputError(
            f"hardware.devices is {hardware.devices}, but this machine has {usable_cores()} cores;"
            " a process each is the most"
        )
    try:
        fabric = Fabric(
            accelerator=hardware.accelerator,
            devices=hardware.devices,
            precision={"fp32": "32-true", "bf16": "bf16-mixed"}[precision],
        )
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"hardware.accelerator is {hardware.accelerator!r} and hardware.devices is "
            f"{hardware.devices}, which this machine can't give ({reason})"
        ) from None
    fabric.launch()
    # Without this process the others would wait for it, for minutes and holding their GPUs.
    for process in getattr(fabric.strategy.launcher, "procs", ()):
        atexit.register(process.kill)
    return fabric


def train(
    fabric: Fabric,
    network: nn.Module,
    loss: nn.Module,
    samples: Samples,
    mean: list[float],
    recipe: Recipe,
    workers: int,
    checkpoint: Path,
    validate: Callable[[nn.Module], float] | None,
    data: Literal["auto", "host", "device"] = "host",
    watch: Callable[[list[Epoch]], None] | None = None,
) -> list[Epoch]:
    """Train `network` in place and return its history; resume from `checkpoint` where there is one.

    Args:
        fabric: device, precision and processes.
        network: images float32 (B,3,H,W), mean subtracted -> logits (B,K,H,W).
        loss: (logits, int64 labels) -> scalar.
        samples: augmented crops, seeded.
        mean: RGB that is subtracted, 0..255.
        recipe: epochs, batch, optimiser, schedule.
        workers: loader processes.
        checkpoint: rewritten after each epoch.
        validate: network -> mIoU in percent; called every `recipe.validate_every` epochs.
        data: where the frames are cut and scaled, see `eacnet.data.device`.
        watch: is given the history at the start, which a resumed training has, and each epoch.

    Raises:
        InputError: the loss became infinite or NaN, or the batch does not fit the data.
    """
    if not recipe.epochs_of(network.calibration_name):
        network.eval()
        if watch and fabric.global_rank == 0:
            watch([])
        return []
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        # Statistics of the whole batch, as in one process; PyTorch has this for GPUs alone.
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
    network.to(memory_format=torch.channels_last)
    held = [network.backbone, network.classifier] if recipe.trains == "calibration" else []
    for part in held:
        part.requires_grad_(False)  # no graph is built for them
    average = Average(network, recipe.average) if recipe.average else None
    optimiser = make_optimiser(network, recipe.optimiser, recipe.calibration_lr)
    training = Training(network, optimiser, average, fabric.device)
    if checkpoint.is_file():
        taken = training.load(checkpoint)
        fabric.barrier()  # all processes have read it
        if taken:
            fabric.print(f"goes on behind epoch {len(training.history)}")
        elif fabric.global_rank == 0:
            aside = set_aside(checkpoint)
            print(f"{checkpoint} is damaged and set aside as {aside.name}; it all starts anew")
    objective = Objective(network, loss, mean)
    on_gpu = fabric.device.type == "cuda"
    if recipe.compile:
        # On a GPU the steps are short: CUDA graphs spare the launch of each kernel.
        objective.compile(mode="reduce-overhead" if on_gpu else None)
    objective, optimiser = fabric.setup(objective, training.optimiser)
    batches = Batches(
        len(samples), recipe.batch, samples.seed, fabric.global_rank, fabric.world_size
    )
    if lives_on_device(samples, fabric.device, data):
        loader = DeviceLoader(samples, batches, fabric.device)
    else:
        loader = make_loader(samples, batches, workers, pin=on_gpu)
        loader = fabric.setup_dataloaders(loader, use_distributed_sampler=False)
    if average:
        average.network.to(fabric.device)
    steps, done = len(batches), len(training.history)
    if watch and fabric.global_rank == 0:
        watch(training.history)
    bar = progress(
        total=recipe.epochs * steps,
        initial=done * steps,
        desc="train",
        unit="it",
        disable=fabric.global_rank > 0,
    )
    for epoch in range(done, recipe.epochs):
        batches.epoch = epoch
        # Dropout draws from the global generator: seeded anew, a resumed epoch draws the same.
        torch.manual_seed(samples.seed * 1_000_003 + epoch)
        objective.train()
        for part in held:
            part.eval()
        losses = torch.zeros(steps, device=fabric.device)
        lr = 0.0
        for step, (images, labels) in enumerate(loader):
            iteration = epoch * steps + step
            lr = learning_rate(
                recipe.schedule, recipe.optimiser.lr, iteration, recipe.epochs, steps
            )
            for group in optimiser.param_groups:
                group["lr"] = lr * group["factor"]
            batch_loss = objective(images, labels)
            optimiser.zero_grad()
            fabric.backward(batch_loss)
            optimiser.step()
            if average:
                average.update(iteration)
            losses[step] = batch_loss.detach()
            if step % CHECK_EVERY == 0 or step == steps - 1:
                # Over all processes, so that they stop together.
                so_far = fabric.all_reduce(losses[: step + 1].clone(), reduce_op="mean")
                _stop_if_not_finite(so_far, epoch, recipe, steps)
                _show(bar, epoch, recipe.epochs, so_far[-1].item(), lr, training.history)
            bar.update()
        mean_loss = fabric.all_reduce(losses.mean(), reduce_op="mean").item()
        score = None
        due = recipe.validate_every and (epoch + 1) % recipe.validate_every == 0
        if validate is not None and (due or epoch + 1 == recipe.epochs):
            score = round(validate(average.network if average else network), 4)
        training.history.append(Epoch(epoch + 1, round(mean_loss, 6), lr, score))
        if fabric.global_rank == 0:
            training.save(checkpoint)
            if watch:
                watch(training.history)
        fabric.barrier()
    bar.close()
    if average:
        network.load_state_dict(average.network.state_dict())
    network.eval()
    return training.history


def _show(bar: tqdm, epoch: int, epochs: int, loss: float, lr: float, history: list[Epoch]) -> None:
    scores = [done.val_miou for done in history if done.val_miou is not None]
    last = {"val_miou": f"{scores[-1]:.2f}"} if scores else {}
    bar.set_description(f"epoch {epoch + 1}/{epochs}", refresh=False)
    bar.set_postfix(loss=f"{loss:.3f}", lr=f"{lr:.2e}", **last, refresh=False)


def _stop_if_not_finite(losses: Tensor, epoch: int, recipe: Recipe, steps: int) -> None:
    values: list[Any] = losses.tolist()
    for step, value in enumerate(values):
        if not math.isfinite(value):
            iteration = epoch * steps + step
            lr = learning_rate(
                recipe.schedule, recipe.optimiser.lr, iteration, recipe.epochs, steps
            )
            raise InputError(
                f"the loss is {value} in epoch {epoch + 1}, iteration {iteration + 1}, at learning "
                f"rate {lr:.3g}; lower recipes.*.optimiser.lr, or use precision fp32"
            )
