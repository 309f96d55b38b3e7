"""BiSeNetV2 (Yu, Gao, Wang et al.; IJCV 2021), by the names of CoinCheung's checkpoints."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.models.backbones.layers import Auxiliary, Norm, conv, conv_norm, conv_norm_relu


class BiSeNetV2(nn.Module):
    """Wide and shallow at 1/8 for details, narrow and deep down to 1/32 for semantics."""

    out_channels = 128
    stride = 8
    multiple = 32

    def __init__(self) -> None:
        super().__init__()
        self.detail = nn.Sequential(
            OrderedDict(
                S1=nn.Sequential(_unit(3, 64, 3, 2), _unit(64, 64)),
                S2=nn.Sequential(_unit(64, 64, 3, 2), _unit(64, 64), _unit(64, 64)),
                S3=nn.Sequential(_unit(64, 128, 3, 2), _unit(128, 128), _unit(128, 128)),
            )
        )
        self.segment = nn.Sequential(
            OrderedDict(
                S1S2=_Stem(),
                S3=nn.Sequential(_Down(16, 32), _GatherExpand(32)),
                S4=nn.Sequential(_Down(32, 64), _GatherExpand(64)),
                S5_4=nn.Sequential(_Down(64, 128), *(_GatherExpand(128) for _ in range(3))),
                S5_5=_Context(),
            )
        )
        self.bga = _Aggregation()

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 32, to features (B,128,H/8,W/8)."""
        return self.inner(images)[0]

    def inner(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the features, and what each auxiliary head reads, by the head's name."""
        quarter = self.segment.S1S2(images)
        eighth = self.segment.S3(quarter)
        sixteenth = self.segment.S4(eighth)
        last = self.segment.S5_4(sixteenth)
        features = self.bga(self.detail(images), self.segment.S5_5(last))
        return features, {"aux2": quarter, "aux3": eighth, "aux4": sixteenth, "aux5_4": last}

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layers that map features (B,128,h,w) to class scores (B,num_classes,h,w)."""
        scores = nn.Sequential(nn.Identity(), conv(1024, num_classes, 1, bias=True))
        return nn.Sequential(
            OrderedDict(conv=_unit(128, 1024), drop=nn.Dropout(0.1), conv_out=scores)
        )

    def auxiliary(self, num_classes: int) -> Auxiliary:
        """Return the training heads, one a stage of the semantic branch."""
        stages = {"aux2": (16, 4), "aux3": (32, 8), "aux4": (64, 16), "aux5_4": (128, 32)}
        heads = {name: _head(*facts, num_classes) for name, facts in stages.items()}
        return Auxiliary(heads, dict.fromkeys(stages, 1.0))


class _Stem(nn.Module):
    """To 16 channels at 1/4, by a convolution beside a max-pool."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = _unit(3, 16, 3, 2)
        self.left = nn.Sequential(_unit(16, 8, 1), _unit(8, 16, 3, 2))
        self.fuse = _unit(32, 16)

    def forward(self, images: Tensor) -> Tensor:
        x = self.conv(images)
        pooled = F.max_pool2d(x, 3, stride=2, padding=1)
        return self.fuse(torch.cat((self.left(x), pooled), 1))


class _GatherExpand(nn.Module):
    """Gather-and-expansion: a depthwise convolution of six times the channels, and a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 6 * channels
        self.conv1 = _unit(channels, channels)
        self.dwconv = conv_norm_relu(channels, wide, groups=channels)
        self.conv2 = conv_norm(wide, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv2(self.dwconv(self.conv1(x))) + x)


class _Down(nn.Module):
    """Gather-and-expansion that halves the resolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        wide = 6 * inputs
        self.conv1 = _unit(inputs, inputs)
        self.dwconv1 = conv_norm(inputs, wide, 3, 2, groups=inputs)
        self.dwconv2 = conv_norm_relu(wide, wide, groups=wide)
        self.conv2 = conv_norm(wide, outputs, 1)
        self.shortcut = nn.Sequential(
            *conv_norm(inputs, inputs, 3, 2, groups=inputs), *conv_norm(inputs, outputs, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        wide = self.dwconv2(self.dwconv1(self.conv1(x)))
        return F.relu(self.conv2(wide) + self.shortcut(x))


class _Context(nn.Module):
    """Context embedding: the mean of the whole map, added everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = Norm(128)
        self.conv_gap = _unit(128, 128, 1)
        self.conv_last = _unit(128, 128)

    def forward(self, x: Tensor) -> Tensor:
        mean = self.bn(x.mean((2, 3), keepdim=True))
        return self.conv_last(self.conv_gap(mean) + x)


class _Aggregation(nn.Module):
    """Bilateral guided aggregation: details and semantics gate each other at 1/8 and at 1/32."""

    def __init__(self) -> None:
        super().__init__()
        self.left1 = nn.Sequential(*conv_norm(128, 128, groups=128), conv(128, 128, 1))
        self.left2 = nn.Sequential(*conv_norm(128, 128, 3, 2), nn.AvgPool2d(3, 2, 1))
        self.right1 = conv_norm(128, 128)
        self.right2 = nn.Sequential(*conv_norm(128, 128, groups=128), conv(128, 128, 1))
        self.conv = conv_norm_relu(128, 128)

    def forward(self, detail: Tensor, semantic: Tensor) -> Tensor:
        fine = self.left1(detail) * _repeated(torch.sigmoid(self.right1(semantic)))
        coarse = self.left2(detail) * torch.sigmoid(self.right2(semantic))
        return self.conv(fine + _repeated(coarse))


def _repeated(x: Tensor) -> Tensor:
    """From 1/32 to 1/8: each value becomes 4x4."""
    return F.interpolate(x, scale_factor=4.0, mode="nearest")


def _head(inputs: int, step: int, num_classes: int) -> nn.Sequential:
    """Return a training head on a map at 1/step, which gives scores at twice its resolution."""
    return nn.Sequential(
        _unit(inputs, 128),
        nn.Dropout(0.1),
        nn.Upsample(scale_factor=2),
        _unit(128, step * step),
        conv(step * step, num_classes, 1, bias=True),
    )


def _unit(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    layers = conv_norm_relu(inputs, outputs, size, stride)
    return nn.Sequential(OrderedDict(zip(("conv", "bn", "relu"), layers, strict=True)))
