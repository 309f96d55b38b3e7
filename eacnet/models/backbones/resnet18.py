"""A narrowed ResNet-18 as a backbone (He, Zhang, Ren, Sun; CVPR 2016)."""

import torch.nn.functional as F
from torch import Tensor, nn


class ResNet18(nn.Module):
    """Basic blocks 2-2-2-2 without the first max-pool, no wider than 256 channels, down to 1/16."""

    out_channels = 256
    stride = 16

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(_Block(64, 64, 2), _Block(64, 64))
        self.layer2 = nn.Sequential(_Block(64, 128, 2), _Block(128, 128))
        self.layer3 = nn.Sequential(_Block(128, 256, 2), _Block(256, 256))
        self.layer4 = nn.Sequential(_Block(256, 256), _Block(256, 256))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 16, to features (B,256,H/16,W/16)."""
        x = F.relu(self.norm(self.conv(images)))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layers that map features (B,256,h,w) to class scores (B,num_classes,h,w)."""
        return nn.Sequential(
            nn.Conv2d(self.out_channels, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, num_classes, 3, padding=1, bias=False),
        )


class _Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected where the block changes the resolution."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))
