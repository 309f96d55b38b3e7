"""A deployed network rewritten so that OpenVINO computes it without changing memory layouts.

OpenVINO's convolutions want channels last, and fuse the scales and activations that follow them.
Whatever else works on single channels takes channels first, and so costs two copies of the maps:
scales and activations behind a concatenation, average pools. In DAB those copies took a sixth of
the time at 512x1024 on two cores.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from eacnet.inference.folded import CONVOLUTIONS, Deployed, ScaleShift


def channels_last(deployed: Deployed) -> Deployed:
    """Rewrite `deployed` in place, to the same up to rounding, and return it."""
    graph_module = deployed.network
    # Of shapes only the numbers of channels are read: any size will do.
    ShapeProp(graph_module).propagate(torch.zeros(1, 3, 8 * deployed.stride, 8 * deployed.stride))
    for node in list(graph_module.graph.nodes):
        if node.target is torch.cat:
            _work_on_parts(node)
        elif node.target is F.avg_pool2d:
            channels = node.meta["tensor_meta"].shape[1]
            pool = AveragePool(channels, *node.args[1:], **node.kwargs)
            _replace(node, _insert(pool, node.args[0], node.name))
    for node in list(graph_module.graph.nodes):
        scale = _module(node)
        if isinstance(scale, ScaleShift) and not _follows_convolution(node):
            _replace(node, _insert(scale.as_convolution(), node.args[0], node.name))
    graph_module.delete_all_unused_submodules()
    for module in graph_module.modules():
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels:
            _take_fast_kernel(module)
    graph_module.recompile()
    return deployed


class AveragePool(nn.Module):
    """An average pool as a depthwise convolution; its weights of 1 are exact in bfloat16, too."""

    def __init__(self, channels: int, size: int, stride: int, padding: int) -> None:
        super().__init__()
        self.sum = nn.Conv2d(channels, channels, size, stride, padding, groups=channels, bias=False)
        nn.init.ones_(self.sum.weight.requires_grad_(False))
        self.share = 1 / size**2

    def forward(self, x: Tensor) -> Tensor:
        """Pool x (B,C,h,w); zeros in the padding count."""
        return self.sum(x) * self.share


def _work_on_parts(cat: fx.Node) -> None:
    """Move the scales and activations behind a concatenation in front of it, part by part."""
    followers = list(_followers(cat))
    parts, first = [], 0
    for part in cat.args[0]:
        channels = slice(first, first + part.meta["tensor_meta"].shape[1])
        for follower in followers:
            own = _of_channels(_module(follower), channels)
            part = _insert(own, part, f"{follower.name}_of_{channels.start}")
        parts.append(part)
        first = channels.stop
    cat.args = (parts, *cat.args[1:])
    for follower in followers:
        _replace(follower, cat)


def _followers(node: fx.Node) -> Iterator[fx.Node]:
    """Yield the scales and activations that alone use the result of `node`, one after another."""
    while len(node.users) == 1:
        (node,) = node.users
        if not isinstance(_module(node), ScaleShift | nn.PReLU):
            return
        yield node


def _follows_convolution(node: fx.Node) -> bool:
    """Say whether `node` is among the followers of a convolution."""
    while isinstance(_module(node), ScaleShift | nn.PReLU):
        (node,) = node.args
        if len(node.users) > 1:
            return False
    return isinstance(_module(node), CONVOLUTIONS)


def _of_channels(module: nn.Module, channels: slice) -> nn.Module:
    """Return a ScaleShift or PReLU for some of the channels of `module`."""
    if isinstance(module, ScaleShift):
        return ScaleShift(module.scale[:, channels], module.shift[:, channels])
    slopes = module.weight.detach()[channels]
    own = nn.PReLU(len(slopes)).requires_grad_(False)
    own.weight.copy_(slopes)
    return own


def _take_fast_kernel(depthwise: nn.Conv2d) -> None:
    """Dilate a kernel along the axes on which it has one row only: that changes nothing.

    But oneDNN's kernel for undilated depthwise convolutions takes twice as long as its other.
    """
    if depthwise.dilation == (1, 1):
        depthwise.dilation = tuple(2 if size == 1 else 1 for size in depthwise.kernel_size)


def _module(node: fx.Node) -> nn.Module | None:
    if node.op != "call_module":
        return None
    return node.graph.owning_module.get_submodule(node.target)


def _insert(module: nn.Module, source: fx.Node, name: str) -> fx.Node:
    """Add a call of `module`, which keeps the channels of `source`, right behind it."""
    graph = source.graph
    graph.owning_module.add_module(name, module)
    with graph.inserting_after(source):
        node = graph.call_module(name, (source,))
    node.meta = dict(source.meta)
    return node


def _replace(node: fx.Node, other: fx.Node) -> None:
    node.replace_all_uses_with(other)
    node.graph.erase_node(node)
