"""Resampled images: how far a score could move had other images of the same kind been scored.

The paired percentile bootstrap (Efron and Tibshirani, 1993): every resample takes the same images
for all networks that are compared.
"""

import numpy as np

RESAMPLES = 10_000
SEED = 2020
LEVEL = 0.95
# As ablation.json names it.
BOOTSTRAP = {"resamples": RESAMPLES, "seed": SEED, "level": LEVEL}


def draw_images(images: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """Draw as many images as there are, with replacement, again and again.

    Returns:
        float64 (resamples, images): how often each image was drawn, whole numbers.
    """
    shares = np.full(images, 1 / images)
    return np.random.default_rng(seed).multinomial(images, shares, resamples).astype(np.float64)


def image_interval(differences: np.ndarray) -> np.ndarray:
    """Return the percentile interval of resampled differences: (R, ...) -> (2, ...).

    Resamples without a difference (NaN: a class that none of their images holds) are left out.
    """
    tail = 100 * (1 - LEVEL) / 2
    return np.nanpercentile(differences, [tail, 100 - tail], axis=0)
