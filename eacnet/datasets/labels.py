"""The class tables: the only place that knows a class.

A table lists every value that a dataset's label files may hold, in the order of the files' ids.
`train_id` is the class index that networks predict, or IGNORED for a value that is neither trained
nor scored. Everything after the prepare stage reads classes from the prepared store instead.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eacnet.errors import InputError

IGNORED = 255


@dataclass(frozen=True)
class Label:
    """One value of a label file: its id, the class it trains (or IGNORED), name, group, colour."""

    id: int
    train_id: int
    name: str
    category: str
    color: tuple[int, int, int]


# Cityscapes (Cordts et al., CVPR 2016), as published with the dataset. The 19 trained classes.
CITYSCAPES = (
    Label(0, 255, "unlabeled", "void", (0, 0, 0)),
    Label(1, 255, "ego vehicle", "void", (0, 0, 0)),
    Label(2, 255, "rectification border", "void", (0, 0, 0)),
    Label(3, 255, "out of roi", "void", (0, 0, 0)),
    Label(4, 255, "static", "void", (0, 0, 0)),
    Label(5, 255, "dynamic", "void", (111, 74, 0)),
    Label(6, 255, "ground", "void", (81, 0, 81)),
    Label(7, 0, "road", "flat", (128, 64, 128)),
    Label(8, 1, "sidewalk", "flat", (244, 35, 232)),
    Label(9, 255, "parking", "flat", (250, 170, 160)),
    Label(10, 255, "rail track", "flat", (230, 150, 140)),
    Label(11, 2, "building", "construction", (70, 70, 70)),
    Label(12, 3, "wall", "construction", (102, 102, 156)),
    Label(13, 4, "fence", "construction", (190, 153, 153)),
    Label(14, 255, "guard rail", "construction", (180, 165, 180)),
    Label(15, 255, "bridge", "construction", (150, 100, 100)),
    Label(16, 255, "tunnel", "construction", (150, 120, 90)),
    Label(17, 5, "pole", "object", (153, 153, 153)),
    Label(18, 255, "polegroup", "object", (153, 153, 153)),
    Label(19, 6, "traffic light", "object", (250, 170, 30)),
    Label(20, 7, "traffic sign", "object", (220, 220, 0)),
    Label(21, 8, "vegetation", "nature", (107, 142, 35)),
    Label(22, 9, "terrain", "nature", (152, 251, 152)),
    Label(23, 10, "sky", "sky", (70, 130, 180)),
    Label(24, 11, "person", "human", (220, 20, 60)),
    Label(25, 12, "rider", "human", (255, 0, 0)),
    Label(26, 13, "car", "vehicle", (0, 0, 142)),
    Label(27, 14, "truck", "vehicle", (0, 0, 70)),
    Label(28, 15, "bus", "vehicle", (0, 60, 100)),
    Label(29, 255, "caravan", "vehicle", (0, 0, 90)),
    Label(30, 255, "trailer", "vehicle", (0, 0, 110)),
    Label(31, 16, "train", "vehicle", (0, 80, 100)),
    Label(32, 17, "motorcycle", "vehicle", (0, 0, 230)),
    Label(33, 18, "bicycle", "vehicle", (119, 11, 32)),
)

# CamVid with SegNet's labels: 21 of the 32 original classes merged into 11, the rest is void.
CAMVID = (
    Label(0, 0, "sky", "", (128, 128, 128)),
    Label(1, 1, "building", "", (128, 0, 0)),
    Label(2, 2, "pole", "", (192, 192, 128)),
    Label(3, 3, "road", "", (128, 64, 128)),
    Label(4, 4, "pavement", "", (0, 0, 192)),
    Label(5, 5, "tree", "", (128, 128, 0)),
    Label(6, 6, "sign", "", (192, 128, 128)),
    Label(7, 7, "fence", "", (64, 64, 128)),
    Label(8, 8, "car", "", (64, 0, 128)),
    Label(9, 9, "pedestrian", "", (64, 64, 0)),
    Label(10, 10, "bicyclist", "", (0, 128, 192)),
    Label(11, 255, "void", "", (0, 0, 0)),
)

TABLES = {"synthetic": CITYSCAPES, "cityscapes": CITYSCAPES, "camvid": CAMVID}


def read_table(path: Path) -> tuple[Label, ...]:
    """Read the class table of a `folder` dataset: CSV with columns id, name, red, green, blue.

    Classes are trained in the order of the rows; a row named "void" is ignored in training and
    scores. A column `category` is optional.

    Raises:
        InputError: the file is missing, a column is missing, or a row does not hold a class.
    """
    if not path.is_file():
        raise InputError(
            f"{path} is missing: a class table in CSV with the columns id,name,red,green,blue"
        )
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        lacking = {"id", "name", "red", "green", "blue"} - set(rows.fieldnames or ())
        if lacking:
            raise InputError(f"{path}: missing column {', '.join(sorted(lacking))}")
        labels: list[Label] = []
        classes = 0
        for row in rows:
            void = row["name"] == "void"
            try:
                value = int(row["id"])
                color = (int(row["red"]), int(row["green"]), int(row["blue"]))
            except (TypeError, ValueError):
                raise InputError(f"{path}, line {rows.line_num}: expected whole numbers") from None
            if not all(0 <= number <= 255 for number in (value, *color)):
                raise InputError(f"{path}, line {rows.line_num}: a number is outside 0..255")
            if value in (label.id for label in labels):
                raise InputError(f"{path}, line {rows.line_num}: id {value} is there twice")
            if row["name"] in (label.name for label in labels) and not void:
                raise InputError(f"{path}, line {rows.line_num}: {row['name']!r} is there twice")
            train_id = IGNORED if void else classes
            labels.append(Label(value, train_id, row["name"], row.get("category") or "", color))
            classes += not void
    if not 2 <= classes < IGNORED:
        raise InputError(f"{path}: {classes} classes; a network needs 2 to {IGNORED - 1}")
    return tuple(labels)


def trained(table: tuple[Label, ...]) -> list[Label]:
    """Return the labels that networks predict, in train-id order."""
    return sorted((label for label in table if label.train_id != IGNORED), key=lambda x: x.train_id)


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
