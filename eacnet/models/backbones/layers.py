"""What several of the published networks are built from."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn


class Norm(nn.BatchNorm2d):
    """A batch norm that also trains on a single value per channel, by its running statistics.

    Such a value has no variance, and PyTorch refuses it: a batch of one image behind a global
    average, or behind all strides of a small crop.
    """

    in_inference = nn.BatchNorm2d

    def forward(self, x: Tensor) -> Tensor:
        """Normalise maps (B,C,h,w)."""
        if self.training and x.shape[0] * x.shape[2] * x.shape[3] == 1:
            statistics = self.running_mean, self.running_var
            return F.batch_norm(x, *statistics, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


class Auxiliary(nn.ModuleDict):
    """Heads on maps within a backbone that train it, by name; inference and files know none.

    A head gives scores (B,K,h,w), or one map (B,1,h,w): how likely a boundary between classes is.

    Attributes:
        weights: of the heads' losses in the sum, by name.
        mined: whether a recipe's mining of hard pixels is for the heads' scores, too.
    """

    def __init__(
        self, heads: Mapping[str, nn.Module], weights: Mapping[str, float], mined: bool = True
    ) -> None:
        super().__init__(heads)
        self.weights, self.mined = dict(weights), mined


def conv(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    *,
    groups: int = 1,
    bias: bool = False,
) -> nn.Conv2d:
    """Return a square convolution whose padding keeps the size, or halves it (rounded up)."""
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=bias)


def conv_norm(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    *,
    groups: int = 1,
    bias: bool = False,
) -> nn.Sequential:
    """Return a convolution and its norm."""
    return nn.Sequential(
        conv(inputs, outputs, size, stride, groups=groups, bias=bias), Norm(outputs)
    )


def conv_norm_relu(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    *,
    groups: int = 1,
    bias: bool = False,
) -> nn.Sequential:
    """Return a convolution, its norm and a ReLU."""
    return conv_norm(inputs, outputs, size, stride, groups=groups, bias=bias).append(nn.ReLU())


def norm_relu_conv(inputs: int, outputs: int, size: int = 1, *, groups: int = 1) -> nn.Sequential:
    """Return a norm, a ReLU and a convolution, in this order."""
    return nn.Sequential(Norm(inputs), nn.ReLU(), conv(inputs, outputs, size, groups=groups))


def resized(x: Tensor, like: Tensor, align_corners: bool = False) -> Tensor:
    """Interpolate maps (B,C,h,w) bilinearly to the height and width of `like` (B,C',H,W)."""
    size = like.shape[-2:]
    return F.interpolate(x, size=size, mode="bilinear", align_corners=align_corners)
