"""Where the objects end: edge pixels, bands around them, and boundary F1.

An edge pixel has a 4-neighbour of another class. An ignored pixel is never an edge and makes none:
behind it may lie an unlabelled object, a gap of the annotation or the car's own bonnet, so nobody
knows whether, and with which class, an edge runs there.

All distances are Euclidean, between pixel centres, in pixels of the label map, and compared as
whole squared numbers, so that no rounding decides whether a pixel counts.
"""

import math

import torch
from torch import Tensor

from eacnet.datasets.labels import IGNORED
from eacnet.evaluation.confusion import image_index
from eacnet.evaluation.counts import BANDS


def edges(labels: Tensor) -> Tensor:
    """Find the edge pixels of label maps: uint8 (B, H, W) -> bool (B, H, W)."""
    edge = torch.zeros_like(labels, dtype=torch.bool)
    valid = labels != IGNORED
    differs = (labels[:, 1:] != labels[:, :-1]) & valid[:, 1:] & valid[:, :-1]
    edge[:, 1:] |= differs
    edge[:, :-1] |= differs
    differs = (labels[:, :, 1:] != labels[:, :, :-1]) & valid[:, :, 1:] & valid[:, :, :-1]
    edge[:, :, 1:] |= differs
    edge[:, :, :-1] |= differs
    return edge


def rings(edge: Tensor) -> Tensor:
    """Sort pixels by their distance to the nearest edge pixel of their image.

    Args:
        edge: bool (B, H, W).

    Returns:
        int64 (B, H, W): 0 within the narrowest of BANDS, 1 within the next, ..., len(BANDS) outside
        all. A band is the union of the rings up to it: the trimap of Kohli et al. (IJCV 2009) and
        Kraehenbuehl and Koltun (NIPS 2011).
    """
    ring = torch.zeros_like(edge, dtype=torch.int64)
    for width in BANDS:
        ring += ~dilate(edge, width**2)
    return ring


def squared_tolerance(height: int, width: int) -> int:
    """Return the greatest squared distance at which two boundary pixels still match.

    The tolerance is 0.75 % of the image's diagonal, as published (Csurka et al., BMVC 2013; also
    the default of MATLAB's `bfscore`), but at least one pixel: 4.5 pixels at 360x480.
    """
    return max(1, 75**2 * (height**2 + width**2) // 10_000**2)


def boundary_counts(prediction: Tensor, truth: Tensor, num_classes: int) -> Tensor:
    """Match the boundaries of each class in prediction and truth (Csurka et al., BMVC 2013).

    A boundary pixel of a class is an edge pixel that belongs to it. It is matched if the other map
    has a boundary pixel of the same class within the tolerance. Pixels that the truth ignores are
    ignored in the prediction, too.

    Args:
        prediction: class indices, (B, H, W).
        truth: train ids, uint8 (B, H, W), 255 = ignored.
        num_classes: K.

    Returns:
        int64 (B, K, 4): pixels of the predicted boundary that are matched, all of them, pixels of
        the true boundary that are matched, all of them.
    """
    prediction = prediction.to(torch.uint8).masked_fill(truth == IGNORED, IGNORED)
    limit = squared_tolerance(*truth.shape[1:])
    predicted, true = edges(prediction), edges(truth)
    found = predicted & _reached(prediction, truth, true, num_classes, limit)
    recalled = true & _reached(truth, prediction, predicted, num_classes, limit)
    return torch.stack(
        [
            _count(found, prediction, num_classes),
            _count(predicted, prediction, num_classes),
            _count(recalled, truth, num_classes),
            _count(true, truth, num_classes),
        ],
        dim=-1,
    )


def dilate(mask: Tensor, squared_radius: int) -> Tensor:
    """Mark every pixel within a radius of the mask: (B, H, W) -> (B, H, W), bool or bits of uint8.

    The squared radius is a whole number of pixels; a pixel at just that distance is marked.
    """
    # Row dy of the disk is a run of 2 * half + 1 pixels. The runs widen as dy falls, so that each
    # grows out of the one before.
    run, half = mask.clone(), 0
    near = torch.zeros_like(mask)
    height = mask.shape[1]
    for dy in range(math.isqrt(squared_radius), -1, -1):
        while half < math.isqrt(squared_radius - dy**2):
            half += 1
            run[:, :, half:] |= mask[:, :, :-half]
            run[:, :, :-half] |= mask[:, :, half:]
        if dy < height:
            near[:, dy:] |= run[:, : height - dy]
            near[:, : height - dy] |= run[:, dy:]
    return near


def _reached(
    labels: Tensor, others: Tensor, other_edge: Tensor, num_classes: int, limit: int
) -> Tensor:
    """Tell which pixels have an edge pixel of their own class near them in the other map."""
    reached = torch.zeros_like(other_edge)
    bit, other_bit = (torch.ones_like(maps) << (maps & 7) for maps in (labels, others))
    # Eight classes at a time, each a bit.
    for group in range((num_classes + 7) // 8):
        marks = other_bit * (other_edge & (others >> 3 == group))
        reached |= (dilate(marks, limit) & bit).bool() & (labels >> 3 == group)
    return reached


def _count(mask: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Count the pixels of a mask per image and class: (B, H, W) twice -> int64 (B, K)."""
    cell = (image_index(labels) * num_classes + labels)[mask]
    return torch.bincount(cell, minlength=len(labels) * num_classes).view(-1, num_classes)
