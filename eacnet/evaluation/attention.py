"""What a calibration looks at: the entropy and the reach of its attention, and maps of it.

The attention of a frame has one value for every pair of positions, 1 GiB of them at 1024x2048. Here
it passes by in blocks of query positions and only sums of it stay.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from eacnet.evaluation.evaluate import predict_scores
from eacnet.models.attention import Attention
from eacnet.progress import progress

# Values of the attention in memory at a time: 16 MiB in float32, of which a few copies are alive.
BLOCK = 2**22
# exp of it is just a normal number of float32; processors take many times as long for smaller ones.
NOTHING = -87.0


@dataclass(frozen=True)
class Reach:
    """How the attention of each query position spreads.

    Attributes:
        entropy: (B,h,w), in nats; log of the number of key positions where all count alike.
        distance: (B,h,w), mean distance in pixels to what is attended to.
        uniform: (h,w), what that distance would be if all key positions counted alike.
        keys: number of key positions.
    """

    entropy: Tensor
    distance: Tensor
    uniform: Tensor
    keys: int


@torch.no_grad()
def reach(calibration: Attention, scores: Tensor, stride: int, block: int = BLOCK) -> Reach:
    """Measure the attention of every query position.

    Distances are Euclidean, between the centres of the image regions behind query and key; a
    pooled key stands for several cells.

    Args:
        calibration: the module.
        scores: coarse scores (B,K,h,w).
        stride: pixels from one coarse score to the next.
        block: how many values of the attention are held at a time.
    """
    query, key, _ = calibration.projections(scores)
    at = centres(query.shape[-2:], stride, query)
    key_at = centres(key.shape[-2:], stride * calibration.step, query)
    shape, keys = query.shape[-2:], len(key_at)
    tokens, key = query.flatten(2).transpose(1, 2), key.flatten(2)  # (B,h*w,K), (B,K,keys)
    rows = max(1, block // (len(scores) * keys))
    entropy, distance, uniform = [], [], []
    for some, here in zip(tokens.split(rows, 1), at.split(rows), strict=True):
        # The logarithm is exact where attention is sharp: no large sums cancel in the entropy.
        log = torch.log_softmax(some @ key, -1)  # (B,rows,keys)
        weights = log.clamp_min(NOTHING).exp()
        apart = torch.cdist(here, key_at, compute_mode="donot_use_mm_for_euclid_dist")
        entropy.append(-(weights * log).sum(-1))
        distance.append((weights * apart).sum(-1))
        uniform.append(apart.mean(-1))
    whole = (len(scores), *shape)
    return Reach(
        torch.cat(entropy, 1).view(whole),
        torch.cat(distance, 1).view(whole),
        torch.cat(uniform).view(shape),
        keys,
    )


@torch.no_grad()
def attention_map(calibration: Attention, scores: Tensor, row: int, column: int) -> Tensor:
    """Return what one query position attends to, summing to 1: (1,K,h,w) -> (h',w')."""
    query, key, _ = calibration.projections(scores)
    products = torch.einsum("k,kij->ij", query[0, :, row, column], key[0])
    return products.flatten().softmax(0).view(products.shape)


def centres(shape: Sequence[int], step: int, like: Tensor) -> Tensor:
    """Return the centres (y, x) in pixels of a grid of cells of `step` pixels: (h*w,2)."""
    axes = [(torch.arange(n, device=like.device, dtype=like.dtype) + 0.5) * step for n in shape]
    return torch.cartesian_prod(*axes)


def analyse(
    model: nn.Module,
    images: np.ndarray,
    classes: Sequence[str],
    *,
    mean: Sequence[float],
    device: torch.device | str,
    batch: int = 4,
) -> dict[str, Any]:
    """Describe the attention of a network over a whole split.

    Args:
        model: an EACNet; moved to `device`.
        images: uint8 (N,H,W,3), RGB; may be a memory map, or of several sizes.
        classes: names of the classes.
        mean: RGB mean that the network was trained with, on the scale 0..255.
        device: where to run.
        batch: images per pass, a matter of speed and memory alone.

    Returns:
        Means over all query positions of all frames: entropy in nats and as a share of the greatest
        possible one, distances in pixels. `per_class` groups them by the coarse prediction at the
        query; a class that is never predicted is None. `positions` is the largest grid of scores,
        and how many there are where frames differ in size. `change` is the root mean square of what
        is added to a class score, less what is added to all classes alike, which decides nothing;
        `change_everywhere_alike` the share of its square that is one constant a class and frame.
        Nothing but the name of the calibration where it is no attention.
    """
    calibration = model.calibration
    if not isinstance(calibration, Attention):
        return {"calibration": model.calibration_name}
    totals = torch.zeros(len(classes), 5, dtype=torch.float64)
    changes = torch.zeros(2, dtype=torch.float64)
    grids: set[tuple[int, int, int]] = set()
    for coarse, calibrated in _watched(model, images, mean, device, batch):
        found = reach(calibration, coarse, model.stride)
        uniform = found.uniform.expand_as(found.distance)
        one, most = torch.ones_like(uniform), torch.full_like(uniform, math.log(found.keys))
        figures = torch.stack((one, found.entropy, most, found.distance, uniform), -1)
        winner = coarse.argmax(1).flatten().cpu()
        totals.index_add_(0, winner, figures.flatten(0, 2).double().cpu())
        added = (calibrated - coarse).double()
        added -= added.mean(1, keepdim=True)
        alike = added.mean((2, 3), keepdim=True).expand_as(added)
        changes += torch.stack((added.square().sum(), alike.square().sum())).cpu()
        grids.add((found.keys, *coarse.shape[-2:]))
    positions = totals.sum(0)
    count = positions[0].item()
    keys, height, width = max(grids)
    grid = {"height": height, "width": width, "keys": keys}

    def means(sums: Tensor) -> dict[str, float] | None:
        number, entropy, greatest, distance, uniform = sums.tolist()
        if not number:
            return None
        return {
            "entropy_nats": round(entropy / number, 4),
            "entropy_share": round(entropy / greatest, 4) if greatest else 1.0,
            "distance_px": round(distance / number, 2),
            "distance_px_uniform": round(uniform / number, 2),
        }

    squares, alike = changes.tolist()
    return {
        "calibration": model.calibration_name,
        "gamma": round(calibration.gamma.item(), 6),
        "frames": len(images),
        "positions": grid | ({"sizes": len(grids)} if len(grids) > 1 else {}),
        **means(positions),
        "per_class": {
            name: means(sums) and {"positions": round(sums[0].item() / count, 4), **means(sums)}
            for name, sums in zip(classes, totals, strict=True)
        },
        "change": round(math.sqrt(squares / (count * len(classes))), 4),
        "change_everywhere_alike": round(alike / squares, 4) if squares else None,
    }


def _watched(
    model: nn.Module, images: np.ndarray, mean: Sequence[float], device: Any, batch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the scores before and after calibration, batch by batch, under a progress bar."""
    with progress(total=len(images), unit="frame", desc="attention") as bar:
        for pair in predict_scores(model, images, mean=mean, device=device, batch=batch):
            yield pair
            bar.update(len(pair[0]))
