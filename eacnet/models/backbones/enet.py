"""ENet's encoder as a backbone (Paszke, Chaurasia, Kim, Culurciello; "ENet", 2016)."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Kernel and dilation of the middle convolution; a 5 stands for the asymmetric pair 5x1, 1x5.
CONTEXT = ((3, 1), (3, 2), (5, 1), (3, 4), (3, 1), (3, 8), (5, 1), (3, 16))


class ENet(nn.Module):
    """Narrow bottlenecks: a few at 1/4, then regular, dilated and asymmetric ones at 1/8."""

    out_channels = 128
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.stem = _unit(nn.Conv2d(3, 13, 3, stride=2, padding=1))
        self.stage1 = nn.Sequential(
            _Bottleneck(16, 64, down=True), *(_Bottleneck(64, 64) for _ in range(4))
        )
        self.stage2 = nn.Sequential(
            _Bottleneck(64, 128, down=True), *(_Bottleneck(128, 128, *kind) for kind in CONTEXT)
        )
        self.stage3 = nn.Sequential(*(_Bottleneck(128, 128, *kind) for kind in CONTEXT))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,128,H/8,W/8)."""
        features = torch.cat((self.stem(images), F.max_pool2d(images, 2)), 1)
        return self.stage3(self.stage2(self.stage1(features)))

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layer that maps features (B,128,h,w) to class scores (B,num_classes,h,w)."""
        return nn.Conv2d(self.out_channels, num_classes, 1)


class _Bottleneck(nn.Module):
    """Residual block with a quarter of the channels inside; `down` halves the resolution."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        dilation: int = 1,
        *,
        down: bool = False,
    ) -> None:
        super().__init__()
        inner = out_channels // 4
        self.down = down
        self.new_channels = out_channels - in_channels
        step = 2 if down else 1
        self.reduce = _unit(nn.Conv2d(in_channels, inner, step, stride=step, bias=False))
        if kernel == 5:
            middle = nn.Sequential(
                nn.Conv2d(inner, inner, (5, 1), padding=(2, 0), bias=False),
                nn.Conv2d(inner, inner, (1, 5), padding=(0, 2)),
            )
        else:
            middle = nn.Conv2d(inner, inner, 3, padding=dilation, dilation=dilation)
        self.middle = _unit(middle)
        self.expand = _unit(nn.Conv2d(inner, out_channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(self.middle(self.reduce(x)))
        if self.down:
            x = F.pad(F.max_pool2d(x, 2), (0, 0, 0, 0, 0, self.new_channels))
        return F.relu(x + y)


def _unit(conv: nn.Module) -> nn.Sequential:
    last = conv[-1] if isinstance(conv, nn.Sequential) else conv
    norm = nn.BatchNorm2d(last.out_channels, eps=1e-3)
    return nn.Sequential(OrderedDict(conv=conv, norm=norm, act=nn.PReLU(last.out_channels)))
