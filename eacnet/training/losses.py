"""Losses on logits (B,K,H,W) against class maps (B,H,W), where 255 is ignored."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.config.recipe import Loss
from eacnet.datasets.labels import IGNORED
from eacnet.errors import InputError


def class_weights(how: str | list[float], frequencies: list[float]) -> Tensor | None:
    """Return the class weights, float32 (K,), or None for equal weights.

    `log` is 1 / log(1.10 + frequency) of each class in the training pixels, as in DABNet's recipe
    for CamVid (after ENet, Paszke et al. 2016, with 1.10 for 1.02).

    Raises:
        InputError: a list of another length than there are classes.
    """
    if how == "none":
        return None
    if how == "log":
        return 1 / torch.log(1.10 + torch.tensor(frequencies, dtype=torch.float32))
    if len(how) != len(frequencies):
        raise InputError(
            f"loss.class_weights lists {len(how)} weights; the data has {len(frequencies)} classes"
        )
    return torch.tensor(how, dtype=torch.float32)


class CrossEntropy(nn.Module):
    """Weighted mean of the pixels' cross-entropy; 0 where a batch has no labelled pixel.

    `smoothing` is the share of each label that is spread over all classes evenly.
    """

    def __init__(self, weights: Tensor | None, smoothing: float = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the scalar loss of float logits (B,K,H,W) against int64 labels (B,H,W)."""
        total = F.cross_entropy(
            logits,
            labels,
            self.weights,
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self.smoothing,
        )
        valid = labels != IGNORED
        if self.weights is None:
            share = valid.sum()
        else:
            share = self.weights[labels.where(valid, 0)].where(valid, 0).sum()
        return total / share.clamp_min(torch.finfo(torch.float32).tiny)


class OhemCrossEntropy(nn.Module):
    """Cross-entropy over the hard pixels: the published recipes' online hard example mining.

    A pixel is kept where the probability of its true class is at most `threshold`, or among the
    `keep` share (of all B*H*W pixels) that are least sure of their class, whichever keeps more.
    """

    def __init__(
        self, weights: Tensor | None, threshold: float, keep: float, smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.cross_entropy = CrossEntropy(weights, smoothing)
        self.threshold = threshold
        self.keep = keep

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the scalar loss of float logits (B,K,H,W) against int64 labels (B,H,W)."""
        with torch.no_grad():
            # -log of the true class's probability; ignored pixels count as certain: 0.
            surprise = F.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="none")
            least = surprise.flatten().topk(max(int(self.keep * labels.numel()), 1)).values[-1]
            bound = least.clamp_max(-torch.log(torch.tensor(self.threshold, device=least.device)))
            hard = labels.masked_fill(surprise < bound, IGNORED)
        return self.cross_entropy(logits, hard)


def make_loss(loss: Loss, frequencies: list[float]) -> nn.Module:
    """Return the loss that a recipe names, for classes of the given training frequencies."""
    weights = class_weights(loss.class_weights, frequencies)
    if loss.name == "ohem":
        return OhemCrossEntropy(weights, loss.threshold, loss.keep, loss.label_smoothing)
    return CrossEntropy(weights, loss.label_smoothing)
