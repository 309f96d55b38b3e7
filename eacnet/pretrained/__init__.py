"""Weights to start from: published checkpoints, ImageNet, the network that ships."""

from importlib import import_module
from typing import Any

__all__ = ["load_published"]


def __getattr__(name: str) -> Any:
    # On first use: every command asks for the network that ships, and few of them need PyTorch.
    if name in __all__:
        return getattr(import_module("eacnet.pretrained.published"), name)
    raise AttributeError(f"module 'eacnet.pretrained' has no attribute {name!r}")
