"""Weights to start from: published checkpoints, ImageNet, the network that ships."""

from eacnet.pretrained.published import load_published

__all__ = ["load_published"]
