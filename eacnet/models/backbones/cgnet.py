"""CGNet (Wu, Tang, Zhang, Cao, Zhang; "CGNet", TIP 2021), by its published names."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.models.depthwise import DepthwiseConv2d


class CGNet(nn.Module):
    """Context guided blocks: near and far surroundings of a pixel, weighed by the whole map."""

    out_channels = 256
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.level1_0 = _conv_norm_act(3, 32, 3, 2)
        self.level1_1 = _conv_norm_act(32, 32, 3)
        self.level1_2 = _conv_norm_act(32, 32, 3)
        self.b1 = _norm_act(32 + 3)
        self.level2_0 = _Down(35, 64, dilation=2, ratio=8)
        self.level2 = nn.Sequential(*(_Block(64, dilation=2, ratio=8) for _ in range(2)))
        self.bn_prelu_2 = _norm_act(64 + 64 + 3)
        self.level3_0 = _Down(131, 128, dilation=4, ratio=16)
        self.level3 = nn.Sequential(*(_Block(128, dilation=4, ratio=16) for _ in range(20)))
        self.bn_prelu_3 = _norm_act(128 + 128)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,256,H/8,W/8)."""
        half = F.avg_pool2d(images, 3, stride=2, padding=1)
        quarter = F.avg_pool2d(half, 3, stride=2, padding=1)

        features = self.level1_2(self.level1_1(self.level1_0(images)))
        down = self.level2_0(self.b1(torch.cat((features, half), 1)))
        features = self.bn_prelu_2(torch.cat((self.level2(down), down, quarter), 1))
        down = self.level3_0(features)
        return self.bn_prelu_3(torch.cat((down, self.level3(down)), 1))

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layer that maps features (B,256,h,w) to class scores (B,num_classes,h,w)."""
        return nn.Conv2d(self.out_channels, num_classes, 1, bias=False)


class _Block(nn.Module):
    """Context guided block: half the channels, filtered near and far, gated, added back."""

    def __init__(self, channels: int, dilation: int, ratio: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1x1 = _conv_norm_act(channels, half, 1)
        self.F_loc = _depthwise(half)
        self.F_sur = _depthwise(half, dilation)
        self.bn_prelu = _norm_act(channels)
        self.F_glo = _Gate(channels, ratio)

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.conv1x1(x)
        joined = torch.cat((self.F_loc(reduced), self.F_sur(reduced)), 1)
        return x + self.F_glo(self.bn_prelu(joined))


class _Down(nn.Module):
    """Context guided block that halves the resolution; no residual."""

    def __init__(self, inputs: int, outputs: int, dilation: int, ratio: int) -> None:
        super().__init__()
        self.conv1x1 = _conv_norm_act(inputs, outputs, 3, 2)
        self.F_loc = _depthwise(outputs)
        self.F_sur = _depthwise(outputs, dilation)
        self.bn, self.act = _norm_act(2 * outputs)
        self.reduce = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(2 * outputs, outputs, 1, bias=False))
        )
        self.F_glo = _Gate(outputs, ratio)

    def forward(self, x: Tensor) -> Tensor:
        halved = self.conv1x1(x)
        joined = torch.cat((self.F_loc(halved), self.F_sur(halved)), 1)
        return self.F_glo(self.reduce(self.act(self.bn(joined))))


class _Gate(nn.Module):
    """Weigh each channel by what the means of all channels say."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        # Published as linear layers; 1x1 convolutions spare the reshapes.
        self.fc = nn.Sequential(
            nn.Conv2d(channels, channels // ratio, 1),
            nn.ReLU(),
            nn.Conv2d(channels // ratio, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3), keepdim=True))


def _depthwise(channels: int, dilation: int = 1) -> nn.Sequential:
    kernel = (3, 1, dilation, dilation, channels)
    return nn.Sequential(OrderedDict(conv=DepthwiseConv2d(channels, channels, *kernel, bias=False)))


def _conv_norm_act(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, **dict(_norm_act(outputs).named_children())))


def _norm_act(channels: int) -> nn.Sequential:
    norm = nn.BatchNorm2d(channels, eps=1e-3)
    return nn.Sequential(OrderedDict(bn=norm, act=nn.PReLU(channels)))
