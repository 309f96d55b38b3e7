"""Rewriting networks for speed, such that what they compute stays the same."""

import copy
import logging
from collections.abc import Callable

import torch
from torch import Tensor, fx, nn

from eacnet.errors import InputError, first_line
from eacnet.models import EACNet

SIZES = ((3, 4), (2, 3))  # of the images that a rewritten network is tried on, in multiples
TOLERANCE = 1e-5  # of the largest score
log = logging.getLogger(__name__)


def rewritten(
    module: nn.Module, multiple: int, rewrite: Callable[[nn.Module, Tensor], nn.Module]
) -> nn.Module:
    """Return what `rewrite` makes of a network, or the network itself where that is not the same.

    Python code that depends on values can't be traced, or not without changing what it does, and
    nobody can list all that a network may consist of: so the result is tried on two sizes. In
    float64, for some networks magnify the rounding of float32 a thousandfold.

    Args:
        module: in evaluation mode; maps images (B,3,H,W) to scores.
        multiple: H and W are multiples of it.
        rewrite: makes a network of this one, which it leaves alone, and an example of its input;
            what it can't do is told by its name.
    """
    parameter = next(module.parameters(), torch.zeros(()))
    generator = torch.Generator().manual_seed(0)
    images = [
        60 * torch.randn(2, 3, rows * multiple, columns * multiple, generator=generator)
        for rows, columns in SIZES
    ]
    images = [each.to(parameter.device, torch.float64) for each in images]
    exact = copy.deepcopy(module).double()
    with torch.no_grad():
        try:
            truth = [exact(each) for each in images]
            result = rewrite(exact, images[0])
            ours = [result(each) for each in images]
        except Exception as error:  # tracing runs the network's own code, which may raise anything
            problem = first_line(error)
        else:
            if all(map(_close, ours, truth)):
                return result.to(parameter.dtype)
            problem = "it would give other scores"
    what = rewrite.__name__.replace("_", " ")
    log.warning("can't %s, so the network runs slower: %s", what, problem)
    return module


def _close(ours: Tensor, truth: Tensor) -> bool:
    scale = truth.abs().max().item()
    return ours.shape == truth.shape and (ours - truth).abs().max().item() <= TOLERANCE * scale


def plain(module: nn.Module | None, *kinds: type[nn.Module]) -> bool:
    """Say whether a module is just what one of `kinds` is.

    A subclass may compute something else (so may one that PyTorch makes, for a parametrization); so
    does a module with hooks, or one on which a method has been replaced.
    """
    return (
        type(module) in kinds
        and not (module._forward_hooks or module._forward_pre_hooks)
        and not any(callable(getattr(type(module), name, None)) for name in vars(module))
    )


def check_unaltered(model: EACNet) -> None:
    """Refuse a network that computes something else than `EACNet` does with its three parts.

    Backbone, classifier and calibration may be anything; what puts them together is not looked at.

    Raises:
        InputError: it has hooks, or a method of its own in the place of one of `EACNet`'s.
    """
    own = [
        name
        for name, value in vars(EACNet).items()
        if callable(value)
        and name != "__init__"
        and (name in vars(model) or getattr(type(model), name, None) is not value)
    ]
    what = f"its own {own[0]}()" if own else "hooks"
    if own or model._forward_hooks or model._forward_pre_hooks:
        raise InputError(
            f"the network ({type(model).__name__}) has {what}, which no runtime knows of; change"
            " its backbone, classifier or calibration instead"
        )


def copied(module: nn.Module) -> nn.Module:
    """Return a copy of a module for inference."""
    for each in module.modules():
        for name, value in vars(each).items():
            # Weights that a hook computes anew in each pass; with their history, they have no copy.
            if isinstance(value, Tensor) and not value.is_leaf:
                setattr(each, name, value.detach())
    return copy.deepcopy(module).requires_grad_(False).eval()


def parts_of(cat: fx.Node) -> list[fx.Node]:
    """Return the maps that `cat` concatenates over channels, or itself alone."""
    parts, dimension = (*cat.args, cat.kwargs.get("dim"), None)[:2]
    if cat.target is torch.cat and dimension == 1 and isinstance(parts, list | tuple):
        return list(parts)
    return [cat]


def module_of(node: fx.Node) -> nn.Module | None:
    """Return the module that `node` calls on one tensor, or None."""
    if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
        return None
    return node.graph.owning_module.get_submodule(node.target)


def channels_of(node: fx.Node) -> int:
    """Return the channels of the maps that `node` yields, once `ShapeProp` has seen them."""
    return node.meta["tensor_meta"].shape[1]


def call_instead(node: fx.Node, module: nn.Module) -> None:
    """Let `node` call another module; others that call the former one still do."""
    folder = node.target.rpartition(".")[0]
    node.target = f"{folder}.{node.name}_new".lstrip(".")
    node.graph.owning_module.add_submodule(node.target, module)


def insert(module: nn.Module, source: fx.Node, name: str) -> fx.Node:
    """Add a call of `module`, which keeps the shape of `source`, right behind it."""
    graph = source.graph
    graph.owning_module.add_module(name, module)
    with graph.inserting_after(source):
        node = graph.call_module(name, (source,))
    node.meta = dict(source.meta)
    return node


def replace(node: fx.Node, other: fx.Node) -> None:
    """Put `other` in the place of `node`, which goes."""
    node.replace_all_uses_with(other)
    node.graph.erase_node(node)
