"""By which an earlier result of `eacnet predict` is known from a file of somebody else's."""

import json
from pathlib import Path

from PIL import Image

IMAGE_RESULTS = ("_labels.png", "_overlay.jpg", "_side-by-side.jpg", ".json")
VIDEO_RESULTS = ("_labels", "_overlay.mp4", "_side-by-side.mp4", ".json", ".jsonl")
# What label maps hold, written into them.
IDS = "the network's classes, 0 is the first (train ids)"
# Written into pictures.
MADE_BY = "eacnet predict"
# Labelling tools, too, name their records photo.json.
_OF_A_RECORD = {".json": {"source", "height", "width", "shares"}, ".jsonl": {"frame", "shares"}}


def is_foreign(path: Path) -> bool:
    """Whether a file has the name of a result and was not written here."""
    if not path.is_file():
        return False
    if path.suffix in _OF_A_RECORD:
        return not _is_record(path)
    if _is_picture(path):
        return False
    if path.suffix == ".png":
        return True
    # A video carries no mark, nor did pictures once: their record stands beside them.
    name = path.name.rpartition("_")[0]
    return not any(_is_record(path.with_name(f"{name}{suffix}")) for suffix in _OF_A_RECORD)


def is_result(path: Path) -> bool:
    """Whether a file is an earlier result by its name, and by what it holds."""
    return _is_picture(path) or (
        path.name.endswith((*IMAGE_RESULTS, *VIDEO_RESULTS)) and not is_foreign(path)
    )


def holds_foreign(folder: Path) -> bool:
    """Whether a folder of label maps, if it is there, holds a file that was not written here."""
    return any(not (path.is_dir() or _is_picture(path)) for path in folder.rglob("*"))


def _is_record(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            record = json.loads(file.readline() if path.suffix == ".jsonl" else file.read())
    except (OSError, ValueError, RecursionError):
        return False  # records are never half-written
    return isinstance(record, dict) and _OF_A_RECORD[path.suffix] <= record.keys()


def _is_picture(path: Path) -> bool:
    if path.suffix not in (".png", ".jpg"):
        return False
    try:
        with Image.open(path, formats=["PNG", "JPEG"]) as image:
            return image.info.get("ids") == IDS or image.info.get("comment") == MADE_BY.encode()
    except Exception:  # a decoder may stumble over foreign bytes in any way
        return False
