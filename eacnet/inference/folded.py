"""The network up to its coarse class scores, for inference: batch norms folded away."""

import copy
import dataclasses
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from eacnet.errors import InputError
from eacnet.inference.rewrite import (
    call_instead,
    channels_of,
    copied,
    insert,
    module_of,
    parts_of,
    plain,
    replace,
    rewritten,
)
from eacnet.models import EACNet, ModelCard
from eacnet.models.checkpoint import unfit_card, unfit_values
from eacnet.models.network import cropped, shrunk

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
LAYERS = (_ConvNd, _BatchNorm, nn.PReLU)


class Folded(nn.Module):
    """Everything up to the coarse scores, for inference: uint8 (B,H,W,3) -> float32 (B,K,h,w).

    Behind them are the channels of the calibration's guide, where it has one.
    Images of any size are padded to multiples of the stride with the mean colour, as the network
    itself does. Convolutions and activations run in `precision`, whole grey levels less a whole
    mean are exact in bfloat16, too.
    """

    def __init__(self, model: EACNet, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        card = card_of(model)
        self.stride, self.multiple = model.stride, model.multiple
        self.precision = precision
        self.divided = any(value != 1 for value in card.std)
        self.register_buffer("mean", torch.tensor(card.mean, dtype=torch.float32))
        self.register_buffer("scale", 1 / torch.tensor(card.std, dtype=torch.float32))
        network = nn.Sequential(model.backbone, model.classifier)
        if model.calibration.guide is not None:
            network = Guided(network, model.calibration.guide, model.stride)
        network = folded(network, model.multiple)
        self.network = network.to(precision)
        self.network.to(memory_format=torch.channels_last)
        self.requires_grad_(False).eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Map uint8 (B,H,W,3) to the class scores before calibration, float32 (B,K,h,w)."""
        return self.coarse(self.normalised(pixels)).float()

    def coarse(self, images: Tensor) -> Tensor:
        """Map normalised images (B,3,H,W) to coarse scores (B,K,h,w), as the network does."""
        scores = self.network(self.padded(images))
        padded_further = self.multiple > self.stride
        return cropped(scores, images.shape[-2:], self.stride) if padded_further else scores

    def normalised(self, pixels: Tensor) -> Tensor:
        """Turn pixels uint8 (B,H,W,3) into what the network is fed with, (B,3,H,W).

        The mean goes with the conversion to floating point, which has to pass over the image
        anyway: 1 % of the time. In a convolution's bias it would save nothing, stand wrong at the
        borders, where zeros mean the mean colour, and leave bfloat16 with larger products.
        """
        images = pixels - self.mean
        if self.divided:
            images = images * self.scale
        return images.to(self.precision).permute(0, 3, 1, 2)

    def padded(self, images: Tensor) -> Tensor:
        """Pad images (B,3,H,W) right and bottom to whole multiples with 0, the mean."""
        height, width = images.shape[-2:]
        down, right = -height % self.multiple, -width % self.multiple
        # A traced graph pads at any size, so that it is one for all of them.
        traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
        return F.pad(images, (0, right, 0, down)) if traced or down or right else images


class Guided(nn.Module):
    """Coarse scores (B,K,h,w), and behind them what a guide sees, of the same images (B,3,H,W)."""

    def __init__(self, network: nn.Module, guide: nn.Module, stride: int) -> None:
        super().__init__()
        self.network, self.guide, self.stride = network, guide, stride

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W) to (B,K+G,h,w)."""
        return torch.cat((self.network(images), self.guide(shrunk(images, self.stride))), 1)


def card_of(model: EACNet) -> ModelCard:
    """Return the model's card.

    Raises:
        InputError: it has none, so nobody knows which mean its images are fed with, or one that
            does not fit; or weights that nothing can be computed with.
    """
    if model.card is None:
        raise InputError(
            "the network has no card, so the mean of its training images is unknown: load it with "
            "eacnet.load_model, or set model.card = eacnet.models.ModelCard(classes, mean, std)"
        )
    mean, std = (_numbers(values) for values in (model.card.mean, model.card.std))
    card = dataclasses.replace(model.card, mean=mean, std=std)
    problem = unfit_card(card, model.num_classes) or unfit_values(model.state_dict())
    if problem:
        raise InputError(f"the network can't be run: {problem}")
    return card


def _numbers(values: Any) -> Any:
    """Return numbers of any library as Python's, and anything else as it is."""
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        return values


def folded(module: nn.Module, multiple: int) -> nn.Module:
    """Return a copy of a network for inference, `fold_batch_norms` where that is possible.

    A layer of a class that names another one as `in_inference` is turned into that.

    Args:
        module: maps images (B,3,H,W) to scores.
        multiple: H and W are multiples of it.
    """
    module = copied(module)
    for each in module.modules():
        if plain(each, type(each)):
            each.__class__ = vars(type(each)).get("in_inference", type(each))
    return rewritten(module, multiple, fold_batch_norms)


def fold_batch_norms(module: nn.Module, example: Tensor) -> fx.GraphModule:
    """Return a network for inference whose batch norms are part of the convolutions.

    A norm behind a convolution goes into its weights. A norm behind a concatenation is split among
    its parts, where all or all but one of them are convolutions. Where a norm stands before a
    convolution with an activation in between it can't be folded: it becomes `ScaleShift`.
    Only PyTorch's own layers are touched; what a subclass of one computes is not known here.

    Args:
        module: in evaluation mode.
        example: of its input.
    """
    graph_module = fx.GraphModule(module, _Tracer().trace(module))
    ShapeProp(graph_module).propagate(example)
    for node in list(graph_module.graph.nodes):
        norm = module_of(node)
        if not plain(norm, nn.BatchNorm2d) or norm.running_var is None:
            continue
        (source,) = node.args
        scale = ScaleShift.of(norm)
        parts = parts_of(source) if len(source.users) == 1 else [source]
        others = len(parts) - sum(map(_folds, parts))
        if others == len(parts) or others > 1 or len(set(parts)) < len(parts):
            call_instead(node, scale)
            continue
        new_parts, first = [], 0
        for part in parts:
            own = scale.of_channels(slice(first, first + channels_of(part)))
            first += channels_of(part)
            if _folds(part):
                call_instead(part, _fused(module_of(part), own))
                new_parts.append(part)
            else:
                new_parts.append(insert(own, part, f"{node.name}_of_{part.name}"))
        if source is not parts[0]:
            source.args = (tuple(new_parts), *source.args[1:])
        replace(node, source)
    graph_module.delete_all_unused_submodules()
    graph_module.recompile()
    return graph_module


class ScaleShift(nn.Module):
    """A batch norm in evaluation mode as one multiply-add per channel."""

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.reshape(1, -1, 1, 1))
        self.register_buffer("shift", shift.reshape(1, -1, 1, 1))

    def as_convolution(self) -> nn.Conv2d:
        """Return the same as a depthwise 1x1 convolution, in which runtimes fuse what follows."""
        channels = self.scale.numel()
        conv = nn.Conv2d(channels, channels, 1, groups=channels).to(self.scale)
        conv.weight.data.copy_(self.scale.reshape(channels, 1, 1, 1))
        conv.bias.data.copy_(self.shift.flatten())
        return conv.requires_grad_(False)

    def of_channels(self, channels: slice) -> "ScaleShift":
        """Return the same for some of the channels."""
        return ScaleShift(self.scale[:, channels], self.shift[:, channels])

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> "ScaleShift":
        """Return what `norm` does in evaluation mode."""
        scale = torch.rsqrt(norm.running_var + norm.eps)
        if not norm.affine:
            return cls(scale, -norm.running_mean * scale)
        scale = norm.weight.detach() * scale
        return cls(scale, norm.bias.detach() - norm.running_mean * scale)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift x (B,C,h,w)."""
        return torch.addcmul(self.shift, x, self.scale)


class _Tracer(fx.Tracer):
    """Traces into all but layers; a subclass of one is a layer as well, with a forward of its own.

    Tracing into it would take its weights for constants that others may not replace.
    """

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, LAYERS) or super().is_leaf_module(module, name)


def _folds(node: fx.Node) -> bool:
    """Say whether `node` is a convolution that a norm can go into: its result goes nowhere else."""
    module = module_of(node)
    grouped = isinstance(module, nn.ConvTranspose2d) and module.groups > 1
    return plain(module, *CONVOLUTIONS) and not grouped and len(node.users) == 1


def _fused(conv: nn.Conv2d | nn.ConvTranspose2d, norm: ScaleShift) -> nn.Module:
    """Return a convolution that does what `conv` and then `norm` do."""
    conv = copy.deepcopy(conv)
    scale, shift = norm.scale.flatten(), norm.shift.flatten()
    shape = (1, -1, 1, 1) if isinstance(conv, nn.ConvTranspose2d) else (-1, 1, 1, 1)
    bias = shift if conv.bias is None else conv.bias * scale + shift
    conv.weight = nn.Parameter(conv.weight * scale.view(shape), requires_grad=False)
    conv.bias = nn.Parameter(bias, requires_grad=False)
    return conv
