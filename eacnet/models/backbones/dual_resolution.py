"""What PIDNet and DDRNet share: residual stages, the head, the pyramid at 1/64.

The attributes of both networks carry the names of their published checkpoints.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.models.backbones.layers import (
    Norm,
    conv,
    conv_norm,
    conv_norm_relu,
    norm_relu_conv,
    resized,
)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; where not `rectified`, it ends with their sum."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, rectified: bool = True) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_norm(inputs, outputs, 3, stride)
        self.conv2, self.bn2 = conv_norm(outputs, outputs)
        self.downsample = _shortcut(inputs, outputs, stride)
        self.rectified = rectified

    def forward(self, x: Tensor) -> Tensor:
        """Map (B,inputs,h,w) to (B,outputs,ceil(h/stride),ceil(w/stride))."""
        y = F.relu(self.bn1(self.conv1(x)))
        total = self.bn2(self.conv2(y)) + self.downsample(x)
        return F.relu(total) if self.rectified else total


class Bottleneck(nn.Module):
    """A 3x3 convolution of `width` channels between two 1x1, open, to twice that width."""

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_norm(inputs, width, 1)
        self.conv2, self.bn2 = conv_norm(width, width, 3, stride)
        self.conv3, self.bn3 = conv_norm(width, 2 * width, 1)
        self.downsample = _shortcut(inputs, 2 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B,inputs,h,w) to (B,2*width,ceil(h/stride),ceil(w/stride))."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return self.bn3(self.conv3(y)) + self.downsample(x)


class Head(nn.Sequential):
    """From features to class scores: norm, ReLU, 3x3 convolution, norm, ReLU, 1x1 convolution."""

    def __init__(self, inputs: int, width: int, num_classes: int) -> None:
        super().__init__()
        self.bn1, self.relu1, self.conv1 = norm_relu_conv(inputs, width, 3)
        self.bn2, self.relu2 = Norm(width), nn.ReLU()
        self.conv2 = conv(width, num_classes, 1, bias=True)


class Pyramid(nn.Module):
    """Pooled maps of 512 channels at four scales; how they are joined is the subclass's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale0 = norm_relu_conv(512, width)
        self.scale1 = nn.Sequential(nn.AvgPool2d(5, 2, 2), *norm_relu_conv(512, width))
        self.scale2 = nn.Sequential(nn.AvgPool2d(9, 4, 4), *norm_relu_conv(512, width))
        self.scale3 = nn.Sequential(nn.AvgPool2d(17, 8, 8), *norm_relu_conv(512, width))
        self.scale4 = nn.Sequential(nn.AdaptiveAvgPool2d(1), *norm_relu_conv(512, width))
        self.compression = norm_relu_conv(5 * width, 128)
        self.shortcut = norm_relu_conv(512, 128)

    def scales(self, x: Tensor) -> list[Tensor]:
        """Return the maps of all scales, the whole resolution first, each (B,width,h,w)."""
        pooled = (self.scale1, self.scale2, self.scale3, self.scale4)
        return [self.scale0(x), *(resized(scale(x), x) for scale in pooled)]


def stem() -> nn.Sequential:
    """Return the layers from the image to 32 channels at 1/4."""
    return nn.Sequential(
        *conv_norm_relu(3, 32, 3, 2, bias=True), *conv_norm_relu(32, 32, 3, 2, bias=True)
    )


def stage(blocks: int, inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a sequence of basic blocks, the first with the stride and the last one open."""
    return nn.Sequential(
        BasicBlock(inputs, outputs, stride),
        *(BasicBlock(outputs, outputs) for _ in range(blocks - 2)),
        BasicBlock(outputs, outputs, rectified=False),
    )


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return conv_norm(inputs, outputs, 1, stride)
