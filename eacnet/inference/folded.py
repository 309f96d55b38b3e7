"""The network as it is deployed: pixels in, coarse class scores out, batch norms folded away."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from eacnet.errors import InputError
from eacnet.models import EACNet, ModelCard
from eacnet.models.network import cropped

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class Deployed(nn.Module):
    """Everything up to the coarse scores, for inference: uint8 (B,H,W,3) -> float32 (B,K,h,w).

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
        self.network = folded(nn.Sequential(model.backbone, model.classifier)).to(precision)
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


def card_of(model: EACNet) -> ModelCard:
    """Return the model's card.

    Raises:
        InputError: it has none, so nobody knows which mean its images are fed with.
    """
    if model.card is None:
        raise InputError(
            "the network has no card, so the mean of its training images is unknown: load it with "
            "eacnet.load_model, or set model.card = eacnet.models.ModelCard(classes, mean, std)"
        )
    return model.card


def folded(module: nn.Module) -> fx.GraphModule:
    """Return a copy of `module` for inference whose batch norms are part of the convolutions.

    A norm behind a convolution goes into its weights. A norm behind a concatenation is split among
    its parts, where all or all but one of them are convolutions. Where a norm stands
    before a convolution with an activation in between it can't be folded: it becomes `ScaleShift`.
    """
    module = copy.deepcopy(module).eval()
    for each in module.modules():
        each.__class__ = getattr(each, "in_inference", each.__class__)
    graph_module = fx.symbolic_trace(module)
    modules = dict(graph_module.named_modules())
    for node in list(graph_module.graph.nodes):
        if node.op != "call_module" or not isinstance(modules[node.target], nn.BatchNorm2d):
            continue
        (source,) = node.args
        norm = modules[node.target]
        parts = _parts(source)
        convolved = [_only_convolution(part, modules) for part in parts]
        if not any(convolved) or convolved.count(False) > 1:
            _set(graph_module, node.target, ScaleShift.of(norm))
            continue
        sizes = _channels(parts, convolved, modules, norm.num_features)
        new_parts = []
        for index, (part, own) in enumerate(zip(parts, norms_of_parts(norm, sizes), strict=True)):
            if convolved[index]:
                conv = modules[part.target]
                transposed = isinstance(conv, nn.ConvTranspose2d)
                _set(graph_module, part.target, fuse_conv_bn_eval(conv, own, transposed))
                new_parts.append(part)
                continue
            name = f"{node.target}_part{index}".replace(".", "_")
            graph_module.add_module(name, ScaleShift.of(own))
            with graph_module.graph.inserting_after(part):
                new_parts.append(graph_module.graph.call_module(name, (part,)))
        if source is not parts[0]:
            source.args = (tuple(new_parts), *source.args[1:])
        node.replace_all_uses_with(source)
        graph_module.graph.erase_node(node)
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
        conv = nn.Conv2d(channels, channels, 1, groups=channels)
        conv.weight.data.copy_(self.scale.reshape(channels, 1, 1, 1))
        conv.bias.data.copy_(self.shift.flatten())
        return conv.requires_grad_(False)

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> "ScaleShift":
        """Return what `norm` does in evaluation mode."""
        scale = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
        return cls(scale, norm.bias.detach() - norm.running_mean * scale)

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift x (B,C,h,w)."""
        return torch.addcmul(self.shift, x, self.scale)


def norms_of_parts(norm: nn.BatchNorm2d, sizes: list[int]) -> list[nn.BatchNorm2d]:
    """Split a norm over the channels of a concatenation into one for each part."""
    norms = []
    start = 0
    for size in sizes:
        part = nn.BatchNorm2d(size, eps=norm.eps, dtype=norm.weight.dtype).eval()
        channels = slice(start, start + size)
        state = {name: v[channels] if v.ndim else v for name, v in norm.state_dict().items()}
        part.load_state_dict(state)
        norms.append(part)
        start += size
    return norms


def _parts(source: fx.Node) -> list[fx.Node]:
    """Return what `source` concatenates over channels, or itself alone."""
    if source.op == "call_function" and source.target is torch.cat and len(source.users) == 1:
        return list(source.args[0])
    return [source]


def _only_convolution(node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    """Say whether `node` is a convolution whose result goes nowhere else."""
    is_convolution = node.op == "call_module" and isinstance(modules[node.target], CONVOLUTIONS)
    return is_convolution and len(node.users) == 1


def _channels(
    parts: list[fx.Node], convolved: list[bool], modules: dict[str, nn.Module], total: int
) -> list[int]:
    """Return the channels of each part; at most one of them is no convolution."""
    sizes = [
        modules[part.target].out_channels if known else 0
        for part, known in zip(parts, convolved, strict=True)
    ]
    return [size or total - sum(sizes) for size in sizes]


def _set(root: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(root.get_submodule(parent), last, module)
