"""Confusion matrices: int64, rows are the ground truth, columns the prediction.

They are sums over pixels, so they add up over images, batches and machines.
"""

import torch
from torch import Tensor

from eacnet.datasets.labels import IGNORED
from eacnet.errors import InputError


def confusion_matrix(prediction: Tensor, truth: Tensor, num_classes: int) -> Tensor:
    """Count every pair of true and predicted class.

    Args:
        prediction: class indices in [0, num_classes), any shape, any integer type.
        truth: train ids of the same shape; pixels that are IGNORED (255) are skipped.
        num_classes: K.

    Returns:
        int64 (K, K) on the device of the inputs.

    Raises:
        InputError: `truth` holds a class that is neither below K nor IGNORED.
    """
    one_group = torch.zeros_like(truth, dtype=torch.int64)
    return grouped_confusion(prediction, truth, num_classes, one_group, 1)[0]


def confusion_matrices(prediction: Tensor, truth: Tensor, num_classes: int) -> Tensor:
    """Count as `confusion_matrix`, but per image: (B, ...) twice -> int64 (B, K, K)."""
    image = image_index(truth).expand(truth.shape)
    return grouped_confusion(prediction, truth, num_classes, image, len(truth))


def grouped_confusion(
    prediction: Tensor, truth: Tensor, num_classes: int, groups: Tensor, num_groups: int
) -> Tensor:
    """Count as `confusion_matrix`, but apart for each group of pixels.

    Args:
        prediction: as in `confusion_matrix`.
        truth: as in `confusion_matrix`.
        num_classes: K.
        groups: int64, the shape of `truth`: the group of each pixel, in [0, num_groups).
        num_groups: G.

    Returns:
        int64 (G, K, K) on the device of the inputs.

    Raises:
        InputError: `truth` holds a class that is neither below K nor IGNORED.
    """
    valid = truth != IGNORED
    greatest = int(truth.masked_fill(~valid, 0).max()) if truth.numel() else 0
    if greatest >= num_classes:
        raise InputError(
            f"the labels hold class {greatest}, but there are {num_classes} classes (0 to "
            f"{num_classes - 1}, {IGNORED} = ignored); check the class table and prepare again"
        )
    cell = (groups * num_classes + truth) * num_classes + prediction
    counts = torch.bincount(cell[valid], minlength=num_groups * num_classes**2)
    return counts.view(num_groups, num_classes, num_classes)


def image_index(maps: Tensor) -> Tensor:
    """Number the images of a batch: (B, ...) -> int64 (B, 1, ...), which broadcasts to it."""
    return torch.arange(len(maps), device=maps.device).view(-1, *[1] * (maps.dim() - 1))
