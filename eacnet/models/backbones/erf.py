"""ERFNet's encoder as a backbone (Romera, Alvarez, Bergasa, Arroyo; "ERFNet", T-ITS 2018)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ERF(nn.Module):
    """Residual blocks of factorised convolutions, most of them dilated at 1/8."""

    out_channels = 128
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Downsampling(3, 16)
        self.layers = nn.Sequential(
            _Downsampling(16, 64),
            *(NonBottleneck1D(64, dropout=0.03) for _ in range(5)),
            _Downsampling(64, 128),
            *(NonBottleneck1D(128, dilation, dropout=0.3) for dilation in (2, 4, 8, 16) * 2),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,128,H/8,W/8)."""
        return self.layers(self.stem(images))

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layer that maps features (B,128,h,w) to class scores (B,num_classes,h,w)."""
        return nn.Conv2d(self.out_channels, num_classes, 1)


class NonBottleneck1D(nn.Module):
    """Residual block of two 3x3 convolutions, each factorised into 3x1 and 1x3."""

    def __init__(self, channels: int, dilation: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        d = dilation
        self.vertical1 = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))
        self.horizontal1 = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1))
        self.norm1 = nn.BatchNorm2d(channels, eps=1e-3)
        self.vertical2 = nn.Conv2d(channels, channels, (3, 1), padding=(d, 0), dilation=(d, 1))
        self.horizontal2 = nn.Conv2d(channels, channels, (1, 3), padding=(0, d), dilation=(1, d))
        self.norm2 = nn.BatchNorm2d(channels, eps=1e-3)
        self.dropout = nn.Dropout2d(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Filter x (B,channels,h,w); the shape stays."""
        y = F.relu(self.vertical1(x))
        y = F.relu(self.norm1(self.horizontal1(y)))
        y = F.relu(self.vertical2(y))
        y = self.norm2(self.horizontal2(y))
        return F.relu(x + self.dropout(y))


class _Downsampling(nn.Module):
    """Halve the resolution; a max-pool keeps the channels, a convolution adds others."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels - in_channels, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(out_channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(torch.cat((self.conv(x), F.max_pool2d(x, 2)), 1)))
