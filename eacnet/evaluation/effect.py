"""What the calibration does to the coarse prediction of one network."""

import torch
from torch import Tensor

from eacnet.datasets.labels import IGNORED


def calibration_effect(coarse: Tensor, calibrated: Tensor, truth: Tensor, inside: Tensor) -> Tensor:
    """Count the pixels that the calibration changes, corrects and breaks.

    A pixel is corrected if the coarse class is wrong and the calibrated one right, broken if it is
    the other way round; a change from one wrong class to another is neither.

    Args:
        coarse: classes before the calibration, (B, H, W).
        calibrated: classes after it, (B, H, W).
        truth: train ids, (B, H, W), 255 = ignored.
        inside: bool (B, H, W), the band around the edges.

    Returns:
        int64 (B, 2, 4): inside and outside the band; valid pixels, changed, corrected, broken.
    """
    valid = truth != IGNORED
    was_right, is_right = coarse == truth, calibrated == truth
    events = (valid, coarse != calibrated, ~was_right & is_right, was_right & ~is_right)
    regions = (valid & inside, valid & ~inside)
    return torch.stack(
        [torch.stack([(region & event).sum((1, 2)) for event in events], -1) for region in regions],
        dim=1,
    )
