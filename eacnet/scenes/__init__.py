"""Street scenes drawn from a seed, in the format of Cityscapes: data that needs no download."""

from eacnet.scenes.scene import draw_scene
from eacnet.scenes.write import write_dataset

__all__ = ["draw_scene", "write_dataset"]
