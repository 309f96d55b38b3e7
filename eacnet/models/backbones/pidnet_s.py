"""PIDNet-S (Xu, Xiong, Bhattacharyya; "PIDNet", CVPR 2023), by its published names."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.models.backbones.dual_resolution import (
    BasicBlock,
    Bottleneck,
    Head,
    Pyramid,
    stage,
    stem,
)
from eacnet.models.backbones.layers import Auxiliary, conv_norm, norm_relu_conv, resized


class PIDNetS(nn.Module):
    """Three branches: details (P) and boundaries (D) at 1/8, context (I) down to 1/64."""

    out_channels = 128
    stride = 8
    coarsest = 512  # pixels from one value to the next in the pyramid's coarsest map

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = stem()
        self.layer1 = stage(2, 32, 32)
        self.layer2 = stage(2, 32, 64, 2)
        self.layer3 = stage(3, 64, 128, 2)
        self.layer4 = stage(3, 128, 256, 2)
        self.layer5 = nn.Sequential(Bottleneck(256, 256, 2), Bottleneck(512, 256))
        self.layer3_ = stage(2, 64, 64)
        self.layer4_ = stage(2, 64, 64)
        self.layer5_ = nn.Sequential(Bottleneck(64, 64))
        self.compression3 = conv_norm(128, 64, 1)
        self.compression4 = conv_norm(256, 64, 1)
        self.pag3 = _Guided()
        self.pag4 = _Guided()
        self.layer3_d = BasicBlock(64, 32, rectified=False)
        self.layer4_d = nn.Sequential(Bottleneck(32, 32))
        self.layer5_d = nn.Sequential(Bottleneck(64, 64))
        self.diff3 = conv_norm(128, 32)
        self.diff4 = conv_norm(256, 64)
        self.spp = _ParallelPyramid(96)
        self.dfm = _LightBag()

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,128,H/8,W/8)."""
        return self.inner(images)[0]

    def inner(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the features, and what each auxiliary head reads, by the head's name."""
        shared = F.relu(self.layer2(F.relu(self.layer1(self.conv1(images)))))
        detail, boundary = self.layer3_(shared), self.layer3_d(shared)
        context = F.relu(self.layer3(shared))

        detail = F.relu(self.pag3(detail, self.compression3(context)))
        boundary = boundary + resized(self.diff3(context), boundary)
        read = {"seghead_p": detail}
        context = F.relu(self.layer4(context))
        detail, boundary = self.layer4_(detail), self.layer4_d(F.relu(boundary))

        detail = F.relu(self.pag4(detail, self.compression4(context)))
        boundary = F.relu(boundary + resized(self.diff4(context), boundary))
        read["seghead_d"] = boundary
        detail, boundary = self.layer5_(detail), self.layer5_d(boundary)
        context = resized(self.spp(self.layer5(context)), detail)
        return self.dfm(detail, context, boundary), read

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layers that map features (B,128,h,w) to class scores (B,num_classes,h,w)."""
        return Head(128, 128, num_classes)

    def auxiliary(self, num_classes: int) -> Auxiliary:
        """Return the training heads: classes from the details, and boundaries."""
        heads = {"seghead_p": Head(64, 128, num_classes), "seghead_d": Head(64, 32, 1)}
        return Auxiliary(heads, {"seghead_p": 0.4, "seghead_d": 20.0}, mined=False)


class _Guided(nn.Module):
    """Pixel-attention guided fusion: takes in the context where it agrees with the detail."""

    def __init__(self) -> None:
        super().__init__()
        self.f_x = conv_norm(64, 32, 1)
        self.f_y = conv_norm(64, 32, 1)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        agreement = self.f_x(detail) * resized(self.f_y(context), detail)
        weight = torch.sigmoid(agreement.sum(1, keepdim=True))
        return (1 - weight) * detail + weight * resized(context, detail)


class _ParallelPyramid(Pyramid):
    """PAPPM: the coarser scales are filtered side by side, a group of channels each."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.scale_process = norm_relu_conv(4 * width, 4 * width, 3, groups=4)

    def forward(self, x: Tensor) -> Tensor:
        whole, *pooled = self.scales(x)
        filtered = self.scale_process(torch.cat([each + whole for each in pooled], 1))
        return self.compression(torch.cat((whole, filtered), 1)) + self.shortcut(x)


class _LightBag(nn.Module):
    """Fusion of the branches: details along boundaries, context elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_p = conv_norm(128, 128, 1)
        self.conv_i = conv_norm(128, 128, 1)

    def forward(self, detail: Tensor, context: Tensor, boundary: Tensor) -> Tensor:
        edge = torch.sigmoid(boundary)
        return self.conv_p((1 - edge) * context + detail) + self.conv_i(context + edge * detail)
