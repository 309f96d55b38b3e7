"""Photometric augmentation: brightness, contrast, saturation and hue as one affine map of RGB."""

import math

import numpy as np
from torch import Tensor

from eacnet.config.recipe import Photometric

# Luma, and the two axes of color, of RGB: NTSC's YIQ.
YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def draw_colour(
    how: Photometric, mean: tuple[int, int, int], random: np.random.Generator
) -> np.ndarray:
    """Draw a change of colors.

    Args:
        how: how far each factor may lie from 1, and the hue from 0 (in turns).
        mean: RGB whose luma a change of contrast leaves alone, 0..255.
        random: the source of randomness.

    Returns:
        float32 (3,4): the matrix, then the offset, of `recolour`.
    """
    factors = [
        1 + k * random.uniform(-1, 1) for k in (how.brightness, how.contrast, how.saturation)
    ]
    return colour_map(*factors, how.hue * random.uniform(-1, 1), mean)


def colour_map(
    brightness: float, contrast: float, saturation: float, hue: float, mean: tuple[int, int, int]
) -> np.ndarray:
    """Return the map (3,4) of three factors (1: as it is) and a turn of the hue (1: once around).

    Hue turns in the plane of colors of equal luma, so greys stay as they are.
    """
    luma = YIQ[0]
    grey = np.ones((3, 1)) @ luma[None]
    turned = np.eye(3)
    cosine, sine = math.cos(2 * math.pi * hue), math.sin(2 * math.pi * hue)
    turned[1:, 1:] = [[cosine, -sine], [sine, cosine]]
    colours = np.linalg.inv(YIQ) @ turned @ YIQ
    matrix = contrast * brightness * colours @ (saturation * np.eye(3) + (1 - saturation) * grey)
    offset = np.full((3, 1), (1 - contrast) * (luma @ np.array(mean)))
    return np.concatenate((matrix, offset), 1).astype(np.float32)


def recolour(pixels: Tensor, maps: Tensor) -> Tensor:
    """Apply maps (...,3,4) to pixels (...,h,w,3) on the scale 0..255; returns float, same shape."""
    matrix, offset = maps[..., :3], maps[..., 3]
    changed = pixels.flatten(-3, -2).float() @ matrix.transpose(-1, -2) + offset.unsqueeze(-2)
    return changed.clamp(0, 255).unflatten(-2, pixels.shape[-3:-1])
