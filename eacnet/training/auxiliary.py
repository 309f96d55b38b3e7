"""The loss of a network with auxiliary heads, which take part in training alone."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.datasets.labels import IGNORED
from eacnet.models.backbones.layers import Auxiliary

SURE = 0.8  # probability of a boundary above which a pixel counts as one


def with_auxiliary(
    loss: nn.Module, heads: Auxiliary, logits: Tensor, others: dict[str, Tensor], labels: Tensor
) -> Tensor:
    """Return the scalar sum of the losses of the network and its auxiliary heads.

    Where a head finds boundaries, the pixels that it is sure of count once more in the network's
    own loss (PIDNet, CVPR 2023).

    Args:
        loss: (logits, labels) -> scalar, as the recipe names it.
        heads: with their weights.
        logits: of the network, float32 (B,K,H,W).
        others: of each head by name, float32 (B,K,H,W), or (B,1,H,W) where it finds boundaries.
        labels: int64 (B,H,W).
    """
    unmined = getattr(loss, "cross_entropy", loss)
    total = loss(logits, labels)
    for name, scores in others.items():
        if scores.shape[1] == 1:
            sure = scores.sigmoid()[:, 0] > SURE
            total = total + loss(logits, labels.where(sure, IGNORED))
            own = boundary_loss(scores, boundaries(labels))
        else:
            own = (loss if heads.mined else unmined)(scores, labels)
        total = total + heads.weights[name] * own
    return total


def boundaries(labels: Tensor) -> Tensor:
    """Return 1 within two pixels of a boundary between labels (B,H,W), else 0: float (B,1,H,W)."""
    values = labels.unsqueeze(1).float()
    largest, least = F.max_pool2d(values, 5, 1, 2), -F.max_pool2d(-values, 5, 1, 2)
    return (largest != least).float()


def boundary_loss(scores: Tensor, truth: Tensor) -> Tensor:
    """Return the binary cross-entropy of scores (B,1,H,W), both kinds of pixels of equal weight."""
    share = truth.mean()
    weight = torch.where(truth > 0, 1 - share, share)
    return F.binary_cross_entropy_with_logits(scores, truth, weight)
