"""Calibrations of coarse class scores: the paper's attention (Zha et al., ACML 2020), and controls.

A calibration is a class here and a line in eacnet/config/names.py.
"""

from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Macs(NamedTuple):
    """Multiply-accumulates of one image: all, and those of the attention's two products."""

    total: int
    attention: int = 0


class Calibration(nn.Module):
    """A calibration of class scores (B,K,h,w) to scores of the same shape, or finer ones.

    A fresh one, made of the number of classes K, changes nothing, but for interpolating them.

    Attributes:
        smallest: least height and width of the scores that it takes.
        scale: its scores are so many times finer than those that it takes.
        guide: what it wants to see of the image: maps images (B,3,8h,8w), less the mean, to
            (B,G,h,w), which it is given behind the scores, as (B,K+G,h,w); None for nothing.
        native: name of the function in inference/postprocess.cpp that computes it on a processor,
            from its parameters in their order; "" if there is none. It stands for the class that
            names it alone: what a subclass changes, the function does not know of.
    """

    smallest: ClassVar[int] = 1
    scale: ClassVar[int] = 1
    native: ClassVar[str] = ""
    guide: nn.Module | None

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.register_module("guide", None)
        self.num_classes = num_classes

    def reset_parameters(self) -> None:
        """Draw weights as for training; by default they stay as the class is made."""

    def forward(self, scores: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w).

        The result has the shape of `scores` and the dtype of the weights, also under autocast.
        """
        with torch.autocast(scores.device.type, enabled=False):
            return self.calibrate(scores.to(next(self.parameters()).dtype))

    def calibrate(self, scores: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w) in the dtype of the weights."""
        raise NotImplementedError

    def written_out(self, scores: Tensor) -> Tensor:
        """Do the same as `forward` as the formula reads, without care for memory: the yardstick."""
        return self(scores)

    @classmethod
    def macs(cls, num_classes: int, height: int, width: int) -> Macs:
        """Count what scores (K,h,w) of one image cost."""
        raise NotImplementedError

    @property
    def attends(self) -> bool:
        """Whether there is an attention in it."""
        return self.macs(self.num_classes, self.smallest, self.smallest).attention > 0


class Uncalibrated(Calibration):
    """Scores as they are: calibration "none"."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return scores (B,K,h,w)."""
        return scores

    @classmethod
    def macs(cls, num_classes: int, height: int, width: int) -> Macs:
        """Count nothing."""
        return Macs(0)


class Attention(Calibration):
    """Non-local calibration of class scores: gamma * attention(scores) + scores.

    Query, key and value are 1x1 convolutions; `gamma` starts at 0. A subclass says what the keys
    and values are made of.

    Attributes:
        step: from one key to the next, in positions of the scores.
    """

    step: ClassVar[int]

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.query = nn.Conv2d(num_classes, num_classes, 1)
        self.key = nn.Conv2d(num_classes, num_classes, 1)
        self.value = nn.Conv2d(num_classes, num_classes, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def reset_parameters(self) -> None:
        """Draw the projections from Kaiming's normal distribution (fan-in), as published."""
        for projection in (self.query, self.key, self.value):
            nn.init.kaiming_normal_(projection.weight, mode="fan_in", nonlinearity="relu")

    def context(self, scores: Tensor) -> Tensor:
        """Return what is attended to, (B,K,h',w'), of scores (B,K,h,w)."""
        raise NotImplementedError

    def projections(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query (B,K,h,w), key and value (both B,K,h',w') of scores (B,K,h,w)."""
        context = self.context(scores)
        return self.query(scores), self.key(context), self.value(context)

    def calibrate(self, scores: Tensor) -> Tensor:
        """Calibrate by way of fused attention, see `attend`."""
        return torch.addcmul(scores, self.gamma, attend(*self.projections(scores)))

    def written_out(self, scores: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w) by way of the whole attention matrix (B,h*w,h'*w')."""
        query, key, value = (maps.flatten(2) for maps in self.projections(scores))
        attention = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        attended = value @ attention.transpose(1, 2)
        return self.gamma * attended.reshape(scores.shape) + scores

    @classmethod
    def macs(cls, num_classes: int, height: int, width: int) -> Macs:
        """Count projections, query x key and attention x value."""
        queries, keys = height * width, (height // cls.step) * (width // cls.step)
        attention = 2 * queries * keys * num_classes
        return Macs(num_classes**2 * (queries + 2 * keys) + attention, attention)


class Full(Attention):
    """Every position attends to every other: the non-local form that the paper replaces."""

    step = 1
    native = "calibrate_full"

    def context(self, scores: Tensor) -> Tensor:
        """Return the scores themselves."""
        return scores


class Pooled(Attention):
    """Every position attends to the 2x2 max-pooled scores: the paper's efficient calibration.

    Pooling needs h, w >= 2 and drops an odd last row or column.
    """

    step = smallest = 2
    native = "calibrate_pooled"

    def context(self, scores: Tensor) -> Tensor:
        """Return the pooled scores (B,K,h//2,w//2)."""
        return F.max_pool2d(scores, self.step)


class Convolved(Calibration):
    """A convolution of the class scores, added to them, which starts at 0: a control.

    What it gains, attention has to exceed: it re-weights the classes without looking far.

    Attributes:
        size: height and width of the kernel, odd.
    """

    size: ClassVar[int]

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.weight = nn.Parameter(torch.zeros(num_classes, num_classes, self.size, self.size))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def calibrate(self, scores: Tensor) -> Tensor:
        """Add the convolution; beyond the border lie zeros."""
        return scores + F.conv2d(scores, self.weight, self.bias, padding=self.size // 2)

    @classmethod
    def macs(cls, num_classes: int, height: int, width: int) -> Macs:
        """Count the convolution."""
        return Macs((num_classes * cls.size) ** 2 * height * width)


class Point(Convolved):
    """The control that sees at a position what the position itself says: a 1x1 convolution."""

    size = 1


class Local(Convolved):
    """The control that sees the neighbours, too: a 3x3 convolution."""

    size = 3


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return softmax(query . key) value over all positions, without ever storing the attention.

    Args:
        query: (B,K,h,w).
        key: (B,K,h',w'), attended positions.
        value: (B,K,h',w').

    Returns:
        (B,K,h,w) in the dtype of `query`; computed in float32 or wider.
    """
    channels = query.shape[1]
    # The products are not divided by sqrt(K): they outgrow what a softmax in bfloat16 can resolve.
    dtype = torch.promote_types(query.dtype, torch.float32)
    # CUDA's fused kernels want the last dimension in multiples of 8; zeros change no product.
    padding = -channels % 8 if query.is_cuda else 0
    tokens = [_tokens(maps.to(dtype), padding) for maps in (query, key, value)]
    attended = F.scaled_dot_product_attention(*tokens, scale=1.0)  # (B,1,h*w,K)
    attended = attended[:, 0, :, :channels].transpose(1, 2)
    return attended.reshape(query.shape).to(query.dtype)


def _tokens(maps: Tensor, padding: int) -> Tensor:
    """Turn (B,K,h,w) into (B,1,h*w,K+padding): one head, contiguous for the fused CPU kernel."""
    tokens = maps.flatten(2).transpose(1, 2).unsqueeze(1)
    return F.pad(tokens, (0, padding)).contiguous() if padding else tokens.contiguous()
