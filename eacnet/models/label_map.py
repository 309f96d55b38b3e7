"""Upsampling and argmax in one, without class planes of full size in memory."""

import torch
import torch.nn.functional as F
from torch import Tensor

# Interpolated values of a strip: 4 MB in float32, which stay in cache until they are compared.
STRIP = 1 << 20


def label_map(scores: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Return the class with the largest bilinearly interpolated score of every pixel.

    Equals `interpolate(scores, stride * (h, w)).argmax(1)[:, :H, :W]`, bit by bit: the work goes
    from strip to strip of rows, each with one row of scores more on either side.

    Args:
        scores: (B,K,h,w), where (h, w) = ceil(size / stride); or finer by a whole factor, which
            divides the stride; those of full size are just compared.
        size: (H, W) of the images.
        stride: pixels from one coarse score to the next.

    Returns:
        uint8 (B,H,W).
    """
    height, width = size
    batch, classes, rows, columns = scores.shape
    step = (height + -height % stride) // rows
    labels = torch.empty((batch, height, width), dtype=torch.uint8, device=scores.device)
    strip = max(1, STRIP // (batch * classes * columns * step * step))
    for top in range(0, rows, strip):
        bottom = min(top + strip, rows)
        above, below = max(top - 1, 0), min(bottom + 1, rows)
        planes = scores[:, :, above:below]
        if step > 1:
            planes = F.interpolate(
                planes, scale_factor=float(step), mode="bilinear", align_corners=False
            )
        target = labels[:, top * step : bottom * step]
        first = (top - above) * step
        _argmax(planes[:, :, first : first + target.shape[1], :width], target)
    return labels


def _argmax(planes: Tensor, labels: Tensor) -> None:
    """Write argmax(planes (B,K,h,w)) into labels uint8 (B,h,w): plane by plane, all vectorised."""
    labels.zero_()
    best = planes[:, 0].clone()
    for index in range(1, planes.shape[1]):
        labels.masked_fill_(planes[:, index] > best, index)
        torch.maximum(best, planes[:, index], out=best)
