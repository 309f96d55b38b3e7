"""A calibration of this project: coarse scores that are upsampled along what the image shows.

Bilinear interpolation mixes neighbouring scores by where a pixel lies, whatever it looks like, so a
boundary falls between two scores and not where the image has it. Here the position's weights are
moved by what a few convolutions see in the image: each pixel of a map twice as fine is a mixture of
the 3x3 coarse scores around it. Learned mixtures of neighbours are known from optical flow (Teed
and Deng, "RAFT", ECCV 2020), which draws them from the features and not from the image.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.models.attention import Macs, Point

SIDE = 3
NEIGHBOURS = SIDE * SIDE
# So much of a neighbour is there for the image to raise where interpolation gives it nothing.
LEAST = 0.02


class Edge(Point):
    """The control `Point`, then interpolation to twice the size along the edges of the image.

    A fresh one re-weights nothing and interpolates bilinearly.

    Attributes:
        guide: maps images (B,3,8h,8w) to (B,36,h,w): for each of the 4 new positions, row by row,
            the logits of its 9 neighbours, row by row.
    """

    scale: ClassVar[int] = 2
    native: ClassVar[str] = "calibrate_edge"

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.guide = nn.Sequential(
            _conv_norm_act(3, 16, stride=2),
            _conv_norm_act(16, 32, stride=2),
            _conv_norm_act(32, 32, stride=1),
            nn.Conv2d(32, self.scale**2 * NEIGHBOURS, 4, stride=2, padding=1),
        )

    def reset_parameters(self) -> None:
        """Draw the guide's convolutions from Kaiming's normal distribution, but the last: 0."""
        for layer in self.guide[:-1].modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(self.guide[-1].weight)
        nn.init.zeros_(self.guide[-1].bias)

    def calibrate(self, scores: Tensor) -> Tensor:
        """Map scores and behind them the guide's channels, (B,K+36,h,w), to scores (B,K,2h,2w)."""
        coarse, logits = scores[:, : self.num_classes], scores[:, self.num_classes :]
        height, width = coarse.shape[-2:]
        ringed = _ringed(_ringed(super().calibrate(coarse), 2), 3)
        around = torch.stack(
            [
                ringed[..., row : row + height, column : column + width]
                for row in range(SIDE)
                for column in range(SIDE)
            ],
            2,
        )
        bilinear, prior = interpolation(scores)
        logits = logits.unflatten(1, (1, self.scale**2, NEIGHBOURS))
        weights = torch.softmax(logits + prior.log(), 3) - prior + bilinear
        mixed = (weights * around.unsqueeze(2)).sum(3)
        return F.pixel_shuffle(mixed.flatten(1, 2), self.scale)

    @classmethod
    def macs(cls, num_classes: int, height: int, width: int) -> Macs:
        """Count the re-weighting and the mixtures; the guide's convolutions are the network's."""
        mixtures = cls.scale**2 * NEIGHBOURS * num_classes * height * width
        return Macs(super().macs(num_classes, height, width).total + mixtures)


def interpolation(like: Tensor) -> tuple[Tensor, Tensor]:
    """Return two (1,1,4,9,1,1): bilinear interpolation's weights, and those at least LEAST.

    The 4 are the new positions in each coarse one, the 9 its neighbours, both row by row.
    """
    # Along one axis: how near the 3 neighbours are to the 2 new positions, a quarter to either side
    # of the middle. Computed where the scores are: a copy from the host would break a CUDA graph.
    neighbours = torch.arange(-1, SIDE - 1, dtype=like.dtype, device=like.device)
    positions = torch.arange(-0.25, 0.5, 0.5, dtype=like.dtype, device=like.device)
    along = (1 - (neighbours - positions.unsqueeze(1)).abs()).clamp_min(0)
    bilinear = torch.einsum("ay,bx->abyx", along, along).reshape(1, 1, -1, NEIGHBOURS, 1, 1)
    prior = bilinear.clamp_min(LEAST)
    return bilinear, prior / prior.sum(3, keepdim=True)


def _ringed(maps: Tensor, axis: int) -> Tensor:
    """Repeat the first and the last of an axis.

    As padding by replication does, whose gradient PyTorch 2.15 compiles wrongly for channels-last.
    """
    last = maps.shape[axis] - 1
    return torch.cat((maps.narrow(axis, 0, 1), maps, maps.narrow(axis, last, 1)), axis)


def _conv_norm_act(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out_channels, eps=1e-3),
        nn.PReLU(out_channels),
    )
