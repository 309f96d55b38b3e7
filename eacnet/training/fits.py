"""Whether frames and crops fit a network, seen to before hours of training."""

import copy

import torch

from eacnet.config.params import Hardware
from eacnet.config.recipe import Recipe
from eacnet.data.store import Split
from eacnet.errors import InputError
from eacnet.models import EACNet


def check_sizes(network: EACNet, split: Split, name: str) -> None:
    """Refuse frames that are scored behind the training and are too small for the network.

    Raises:
        InputError: one is; names it.
    """
    for frame, size in zip(split.ids, split.sizes.tolist(), strict=True):
        try:
            network.check_size(*size)
        except InputError as error:
            raise InputError(f"frame {frame} of split {name!r}: {error}; remove it") from None


def check_batch(network: EACNet, recipe: Recipe, hardware: Hardware) -> None:
    """Refuse a single crop so small that a norm sees one value of it, which has no variance.

    Raises:
        InputError: it is.
    """
    # Norms see all processes' crops on GPUs alone.
    world = hardware.devices * hardware.nodes if hardware.accelerator == "cpu" else 1
    trains = recipe.trains == "all" and recipe.epochs_of(network.calibration_name)
    if recipe.batch > world or min(recipe.crop) > 64 or not trains:
        return
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=()):  # dropout draws, too
            copy.deepcopy(network).train()(torch.zeros(1, 3, *recipe.crop))
    except ValueError as error:
        height, width = recipe.crop
        raise InputError(
            f"a single crop of {height}x{width} can't be trained on ({error}); raise the"
            " recipe's batch or crop"
        ) from None
