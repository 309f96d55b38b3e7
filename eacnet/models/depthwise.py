"""Depthwise convolution, one filter a channel, that also trains right in bfloat16 on a CPU."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DepthwiseConv2d(nn.Conv2d):
    """An `nn.Conv2d` with as many groups as channels, stride 1 and zero padding, without bias.

    In bfloat16 on a CPU, oneDNN 3.13 (PyTorch 2.15) fills the weight gradient of a dilated
    depthwise convolution of channels-last maps with what happens to lie in memory: mostly right,
    at random steps up to 1e35 where 0.01 is right. Above 1.8e19 its square is infinite, and Adam
    never moves that weight again; once the garbage itself is no number, the loss is NaN. There,
    the same sums are written out as shifted products, whose gradients PyTorch takes itself.
    """

    in_inference = nn.Conv2d  # what it does besides, it does in training

    def forward(self, x: Tensor) -> Tensor:
        """Filter maps (B,C,H,W) to maps of the same shape."""
        autocast = torch.is_autocast_enabled(x.device.type)
        dtype = torch.get_autocast_dtype(x.device.type) if autocast else x.dtype
        broken = dtype == torch.bfloat16 and self.dilation != (1, 1) and x.device.type == "cpu"
        if broken and torch.is_grad_enabled():
            return depthwise(x.to(dtype), self.weight.to(dtype), self.dilation)
        return super().forward(x)


def depthwise(x: Tensor, weight: Tensor, dilation: tuple[int, ...]) -> Tensor:
    """Convolve each channel with its own filter, as a sum of shifted maps, summed in float32.

    Args:
        x: (B,C,H,W).
        weight: (C,1,h,w), h and w odd.
        dilation: vertical and horizontal distance of the filter's taps, in pixels.

    Returns:
        (B,C,H,W) in the dtype of `x`.
    """
    height, width = x.shape[-2:]
    down, right = dilation
    rows, columns = weight.shape[-2:]
    above, left = rows // 2 * down, columns // 2 * right
    padded = F.pad(x, (left, left, above, above)).float()
    total = torch.zeros((), device=x.device)
    for i in range(rows):
        for j in range(columns):
            tap = padded[..., i * down : i * down + height, j * right : j * right + width]
            total = total + tap * weight[:, :, i, j].float().unsqueeze(-1)
    return total.to(x.dtype)
