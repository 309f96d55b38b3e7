"""What a value of a label file means, and how a table of them maps ids to classes.

A table lists every value that a dataset's label files may hold. Everything after the prepare stage
reads classes from the prepared store instead.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

IGNORED = 255


@dataclass(frozen=True)
class Label:
    """One value of a label file.

    Attributes:
        id: the value, 0..255; where label files hold colours, any number of its own.
        train_id: the class that networks predict, or IGNORED: neither trained nor scored. Several
            labels may make up one class, which has the name and colour of the first of them.
        name: what it stands for.
        category: the group of classes that it belongs to, or "".
        color: RGB, 0..255.
    """

    id: int
    train_id: int
    name: str
    category: str
    color: tuple[int, int, int]


def trained(table: tuple[Label, ...]) -> list[Label]:
    """Return the first label of each class that networks predict, in train-id order."""
    first: dict[int, Label] = {}
    for label in table:
        if label.train_id != IGNORED:
            first.setdefault(label.train_id, label)
    return [first[train_id] for train_id in sorted(first)]


def described(table: tuple[Label, ...]) -> list[dict[str, Any]]:
    """Return one {"name", "category", "color"} a class, as stores and model files hold them."""
    return [
        {"name": label.name, "category": label.category, "color": list(label.color)}
        for label in trained(table)
    ]


def lookup(table: tuple[Label, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 (256,) that maps a label id to its train id, and bool (256,) of known ids."""
    train_ids = np.full(256, IGNORED, np.uint8)
    known = np.zeros(256, bool)
    for label in table:
        train_ids[label.id] = label.train_id
        known[label.id] = True
    return train_ids, known
