"""The rooms of the house: imports point one way, and no file or folder is a hall."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "eacnet"
# A room may import what stands before it, and itself. Rooms side by side do not know each other.
ORDER = (
    (
        "errors",
        "files",
        "leftovers",
        "progress",
        "provenance",
        "machine",
        "layout",
        "result_files",
        "lettering",
    ),
    ("config",),
    ("datasets",),
    ("scenes", "data"),
    ("models",),
    ("pretrained", "evaluation"),
    ("training",),
    ("inference",),
    ("benchmark", "cells", "report", "predict", "verify"),
    ("commands", "stages"),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
FILES = sorted(
    path
    for folder in (PACKAGE, ROOT / "stages")
    for path in folder.rglob("*.py")
    if path not in (PACKAGE / "__init__.py", PACKAGE / "cli.py")
)


def room(path: Path) -> str:
    return (
        path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT)
        .parts[0]
        .removesuffix(".py")
    )


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, other than for type checkers alone."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    return {
        second for first, second, *_ in (p for p in parts if len(p) > 1) if first == "eacnet"
    } | {"stages" for first, *_ in parts if first == "stages"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    own = room(path)
    for other in imported(path) & set(RANK):
        lower = RANK[other] < RANK[own] or RANK[other] == RANK[own] == 0
        assert other == own or lower, f"{path} in {own} imports {other}"


def test_every_room_has_its_place():
    assert {room(path) for path in FILES} == set(RANK)


def test_no_file_is_too_long():
    long = {path.name: n for path in FILES if (n := len(path.read_text().splitlines())) > 250}
    assert not long


def test_a_stage_is_a_short_script():
    for path in (ROOT / "stages").glob("*.py"):
        assert len(path.read_text().splitlines()) <= 62, path
