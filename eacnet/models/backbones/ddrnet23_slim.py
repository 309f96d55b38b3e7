"""DDRNet-23-slim (Pan, Hong, Sun, Jia; "Deep Dual-resolution Networks", T-ITS 2022).

By its published names.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.models.backbones.dual_resolution import Bottleneck, Head, Pyramid, stage, stem
from eacnet.models.backbones.layers import (
    Auxiliary,
    conv_norm,
    conv_norm_relu,
    norm_relu_conv,
    resized,
)


class DDRNet23Slim(nn.Module):
    """Two branches, at 1/8 and down to 1/64, that exchange their maps twice."""

    out_channels = 128
    stride = 8
    coarsest = 512  # pixels from one value to the next in the pyramid's coarsest map

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = stem()
        self.layer1 = stage(2, 32, 32)
        self.layer2 = stage(2, 32, 64, 2)
        self.layer3 = stage(2, 64, 128, 2)
        self.layer4 = stage(2, 128, 256, 2)
        self.layer5 = nn.Sequential(Bottleneck(256, 256, 2))
        self.layer3_ = stage(2, 64, 64)
        self.layer4_ = stage(2, 64, 64)
        self.layer5_ = nn.Sequential(Bottleneck(64, 64))
        self.compression3 = conv_norm(128, 64, 1)
        self.compression4 = conv_norm(256, 64, 1)
        self.down3 = conv_norm(64, 128, 3, 2)
        self.down4 = nn.Sequential(*conv_norm_relu(64, 128, 3, 2), *conv_norm(128, 256, 3, 2))
        self.spp = _DeepPyramid(128)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,128,H/8,W/8)."""
        return self.inner(images)[0]

    def inner(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the features, and what the auxiliary head reads, by the head's name."""
        shared = F.relu(self.layer2(F.relu(self.layer1(self.conv1(images)))))
        context, detail = self.layer3(shared), self.layer3_(shared)

        context, detail = (
            context + self.down3(F.relu(detail)),
            detail + resized(self.compression3(F.relu(context)), detail),
        )
        read = {"seghead_extra": detail}
        context, detail = self.layer4(F.relu(context)), self.layer4_(F.relu(detail))

        context, detail = (
            context + self.down4(F.relu(detail)),
            detail + resized(self.compression4(F.relu(context)), detail),
        )
        detail = self.layer5_(F.relu(detail))
        return resized(self.spp(self.layer5(F.relu(context))), detail) + detail, read

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layers that map features (B,128,h,w) to class scores (B,num_classes,h,w)."""
        return Head(128, 64, num_classes)

    def auxiliary(self, num_classes: int) -> Auxiliary:
        """Return the training head; the weight of its loss was not published, PIDNet's is 0.4."""
        return Auxiliary({"seghead_extra": Head(64, 64, num_classes)}, {"seghead_extra": 0.4})


class _DeepPyramid(Pyramid):
    """DAPPM: each scale is filtered together with the finer one before it."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.process1 = norm_relu_conv(width, width, 3)
        self.process2 = norm_relu_conv(width, width, 3)
        self.process3 = norm_relu_conv(width, width, 3)
        self.process4 = norm_relu_conv(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        whole, *pooled = self.scales(x)
        joined = [whole]
        processes = self.process1, self.process2, self.process3, self.process4
        for process, scale in zip(processes, pooled, strict=True):
            joined.append(process(scale + joined[-1]))
        return self.compression(torch.cat(joined, 1)) + self.shortcut(x)
