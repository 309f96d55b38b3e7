"""Synthetic street scenes in the layout of Cityscapes: seeded, the same pixels on every machine."""

from eacnet.data.scenes.dataset import draw_scene, write_dataset

__all__ = ["draw_scene", "write_dataset"]
