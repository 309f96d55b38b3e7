"""Draws from a generator that need only its integers and uniform floats: same on every machine."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def between(random: np.random.Generator, low: float, high: float) -> float:
    """Draw a float from low..high."""
    # Not random.uniform: compiled as one expression, it may be rounded once or twice.
    return low + (high - low) * random.random()


def pick(random: np.random.Generator, options: Sequence[T]) -> T:
    """Draw one of the options, each as likely; list an option twice to make it twice as likely."""
    return options[int(random.integers(len(options)))]


def happens(random: np.random.Generator, probability: float) -> bool:
    """Draw whether something happens."""
    return random.random() < probability


def jitter(
    random: np.random.Generator, color: tuple[float, float, float], amount: float
) -> tuple[float, float, float]:
    """Draw a colour near `color`: brightness and every channel differ by up to `amount`."""
    shift = between(random, -amount, amount)
    return tuple(value + shift + between(random, -amount, amount) / 2 for value in color)
