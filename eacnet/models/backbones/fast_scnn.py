"""Fast-SCNN (Poudel, Liwicki, Cipolla; BMVC 2019), by the names of Tramac's checkpoints."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from eacnet.models.backbones.layers import Auxiliary, Norm, conv, conv_norm, conv_norm_relu, resized


class FastSCNN(nn.Module):
    """A short path that stops at 1/8, and a deep one from there to 1/32 with pyramid pooling."""

    out_channels = 128
    stride = 8
    multiple = 32

    def __init__(self) -> None:
        super().__init__()
        first = nn.Sequential(nn.Conv2d(3, 32, 3, 2, bias=False), Norm(32), nn.ReLU())
        self.learning_to_downsample = nn.Sequential(
            OrderedDict(
                conv=_named(first), dsconv1=_separable(32, 48, 2), dsconv2=_separable(48, 64, 2)
            )
        )
        self.global_feature_extractor = nn.Sequential(
            OrderedDict(
                bottleneck1=_residuals(64, 64, 2),
                bottleneck2=_residuals(64, 96, 2),
                bottleneck3=_residuals(96, 128, 1),
                ppm=_PyramidPooling(),
            )
        )
        self.feature_fusion = _Fusion()

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 32, to features (B,128,H/8,W/8)."""
        return self.inner(images)[0]

    def inner(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the features, and what the auxiliary head reads, by the head's name."""
        detail = self.learning_to_downsample(images)
        context = self.global_feature_extractor(detail)
        return self.feature_fusion(detail, context), {"auxlayer": detail}

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layers that map features (B,128,h,w) to class scores (B,num_classes,h,w)."""
        scores = nn.Sequential(nn.Dropout(0.1), conv(128, num_classes, 1, bias=True))
        return nn.Sequential(
            OrderedDict(dsconv1=_separable(128, 128), dsconv2=_separable(128, 128), conv=scores)
        )

    def auxiliary(self, num_classes: int) -> Auxiliary:
        """Return the training head, on the end of the short path."""
        scores = nn.Dropout(0.1), conv(32, num_classes, 1, bias=True)
        return Auxiliary(
            {"auxlayer": nn.Sequential(*conv_norm_relu(64, 32), *scores)}, {"auxlayer": 0.4}
        )


class _InvertedResidual(nn.Module):
    """Expand the channels, filter each, project back; with a residual where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        wide = 6 * inputs
        self.residual = stride == 1 and inputs == outputs
        self.block = nn.Sequential(
            _named(conv_norm_relu(inputs, wide, 1)),
            _named(conv_norm_relu(wide, wide, 3, stride, groups=wide)),
            *conv_norm(wide, outputs, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x) if self.residual else self.block(x)


class _PyramidPooling(nn.Module):
    """Means over 1, 4, 9 and 36 parts of the map, beside the map itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _named(conv_norm_relu(128, 32, 1))
        self.conv2 = _named(conv_norm_relu(128, 32, 1))
        self.conv3 = _named(conv_norm_relu(128, 32, 1))
        self.conv4 = _named(conv_norm_relu(128, 32, 1))
        self.out = _named(conv_norm_relu(256, 128, 1))

    def forward(self, x: Tensor) -> Tensor:
        convs = {1: self.conv1, 2: self.conv2, 3: self.conv3, 6: self.conv4}
        means = (resized(each(part_means(x, n)), x, True) for n, each in convs.items())
        return self.out(torch.cat((x, *means), 1))


class _Fusion(nn.Module):
    """The sum of both paths at 1/8."""

    def __init__(self) -> None:
        super().__init__()
        self.dwconv = _named(conv_norm_relu(128, 128, groups=128))
        self.conv_lower_res = conv_norm(128, 128, 1, bias=True)
        self.conv_higher_res = conv_norm(64, 128, 1, bias=True)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        lower = self.conv_lower_res(self.dwconv(resized(context, detail, True)))
        return F.relu(lower + self.conv_higher_res(detail))


@fx.wrap
def part_means(x: Tensor, parts: int) -> Tensor:
    """Average maps (B,C,h,w) over parts x parts regions, as PyTorch's adaptive pool does.

    Part i of a side of length n reaches from floor(i * n / parts) to ceil((i + 1) * n / parts).
    ONNX has no such pool, and a traced graph would keep the parts of the size that it was traced
    at: there, the means are products with a matrix for the rows and one for the columns.
    """
    if not torch.jit.is_tracing():
        return F.adaptive_avg_pool2d(x, parts)
    rows, columns = (_shares(length, parts, x) for length in x.shape[-2:])
    return torch.matmul(torch.matmul(rows, x), columns.transpose(0, 1))


def _shares(length: int, parts: int, like: Tensor) -> Tensor:
    """Return the share (parts,length) that each position has in the mean of each part."""
    part = torch.arange(parts, device=like.device).unsqueeze(1)
    position = torch.arange(length, device=like.device).unsqueeze(0)
    # Position p lies in part i where p + 1 > i * n / parts and p < (i + 1) * n / parts.
    inside = (parts * (position + 1) > part * length) & (parts * position < (part + 1) * length)
    inside = inside.to(like.dtype)
    return inside / inside.sum(1, keepdim=True)


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return _named(
        nn.Sequential(
            *conv_norm_relu(inputs, inputs, 3, stride, groups=inputs),
            *conv_norm_relu(inputs, outputs, 1),
        )
    )


def _residuals(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        _InvertedResidual(inputs, outputs, stride),
        *(_InvertedResidual(outputs, outputs) for _ in range(2)),
    )


def _named(layers: nn.Sequential) -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=layers))
