"""DABNet's backbone (Li, Yun, Kim, Kim; "DABNet", BMVC 2019)."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.models.depthwise import DepthwiseConv2d


class DAB(nn.Module):
    """Depthwise asymmetric bottlenecks at 1/4 and 1/8, fed with the pooled image at every scale."""

    out_channels = 259
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv_norm_act(3, 32, 3, stride=2),
            _conv_norm_act(32, 32, 3),
            _conv_norm_act(32, 32, 3),
        )
        self.fuse1 = _norm_act(32 + 3)
        self.down1 = _Downsampling(35, 64)
        self.block1 = nn.Sequential(*(_Module(64, dilation) for dilation in (2, 2, 2)))
        self.fuse2 = _norm_act(64 + 64 + 3)
        self.down2 = _Downsampling(131, 128)
        self.block2 = nn.Sequential(*(_Module(128, dilation) for dilation in (4, 4, 8, 8, 16, 16)))
        self.fuse3 = _norm_act(128 + 128 + 3)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,259,H/8,W/8)."""
        half = F.avg_pool2d(images, 3, stride=2, padding=1)
        quarter = F.avg_pool2d(half, 3, stride=2, padding=1)
        eighth = F.avg_pool2d(quarter, 3, stride=2, padding=1)

        features = self.fuse1(torch.cat((self.stem(images), half), 1))
        down = self.down1(features)
        features = self.fuse2(torch.cat((self.block1(down), down, quarter), 1))
        down = self.down2(features)
        return self.fuse3(torch.cat((self.block2(down), down, eighth), 1))

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layer that maps features (B,259,h,w) to class scores (B,num_classes,h,w)."""
        return nn.Conv2d(self.out_channels, num_classes, 1, bias=False)


class _Module(nn.Module):
    """DAB module: halve the channels, filter them near and far with depthwise pairs, add back."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        half = channels // 2
        self.before = _norm_act(channels)
        self.reduce = _conv_norm_act(channels, half, 3)
        self.near = _depthwise_pair(half, 1)
        self.far = _depthwise_pair(half, dilation)
        self.after = _norm_act(half)
        self.expand = nn.Conv2d(half, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.reduce(self.before(x))
        return x + self.expand(self.after(self.near(reduced) + self.far(reduced)))


class _Downsampling(nn.Module):
    """Halve the resolution; where channels increase, a max-pool supplies the others."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.pool = in_channels < out_channels
        convolved = out_channels - in_channels if self.pool else out_channels
        self.conv = nn.Conv2d(in_channels, convolved, 3, stride=2, padding=1, bias=False)
        self.norm_act = _norm_act(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        down = self.conv(x)
        if self.pool:
            down = torch.cat((down, F.max_pool2d(x, 2)), 1)
        return self.norm_act(down)


def _depthwise_pair(channels: int, dilation: int) -> nn.Sequential:
    return nn.Sequential(
        _conv_norm_act(channels, channels, (3, 1), dilation=dilation, groups=channels),
        _conv_norm_act(channels, channels, (1, 3), dilation=dilation, groups=channels),
    )


def _conv_norm_act(
    in_channels: int,
    out_channels: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (height // 2 * dilation, width // 2 * dilation)
    kind = nn.Conv2d if groups == 1 else DepthwiseConv2d
    conv = kind(in_channels, out_channels, kernel, stride, padding, dilation, groups, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm_act=_norm_act(out_channels)))


def _norm_act(channels: int) -> nn.Sequential:
    norm = nn.BatchNorm2d(channels, eps=1e-3)
    return nn.Sequential(OrderedDict(norm=norm, act=nn.PReLU(channels)))
