"""torchvision's LRASPP with MobileNetV3 (Howard et al.; ICCV 2019), a baseline.

A user would pick it instead. It has coarse scores, but stands here as torchvision has it.
"""

import torch
from torch import Tensor, nn
from torchvision.models.segmentation import lraspp_mobilenet_v3_large

from eacnet.models.backbones.layers import resized

LOW, HIGH = 40, 128  # channels of the maps at 1/8 and, brought up from there, 1/16


class LRASPP(nn.Module):
    """MobileNetV3's maps at 1/8 beside those at 1/16, weighed by the mean of the whole map."""

    out_channels = LOW + HIGH
    stride = 8
    coarsest = 16  # pixels from one value to the next in the coarser map

    def __init__(self) -> None:
        super().__init__()
        whole = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=1)
        self.layers = whole.backbone
        self.cbr, self.scale = whole.classifier.cbr, whole.classifier.scale

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,168,H/8,W/8)."""
        maps = self.layers(images)
        low, high = maps["low"], maps["high"]
        return torch.cat((low, resized(self.cbr(high) * self.scale(high), low)), 1)

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layers that map features (B,168,h,w) to class scores (B,num_classes,h,w)."""
        return _Classifier(num_classes)


class _Classifier(nn.Module):
    """The sum of the scores that each of the two maps gives."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.low_classifier = nn.Conv2d(LOW, num_classes, 1)
        self.high_classifier = nn.Conv2d(HIGH, num_classes, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.low_classifier(features[:, :LOW]) + self.high_classifier(features[:, LOW:])
