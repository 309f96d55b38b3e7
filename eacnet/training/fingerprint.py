"""What a training depends on, as a hash: the same network is trained once, resumed and found by it.

Only what can change the trained bits takes part: comments, docstrings and formatting do not, nor do
other backbones and calibrations, threads, or where it runs.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eacnet.config.names import CALIBRATIONS

PACKAGE = Path(__file__).parents[1]
SOURCES = (
    "data/store.py",
    "data/frames.py",
    "data/samples.py",
    "data/device.py",
    "data/colour.py",
    "models/network.py",
    "models/backbones/layers.py",
    "models/depthwise.py",
    "pretrained/start.py",
    "training/auxiliary.py",
    "training/average.py",
    "training/loop.py",
    "training/losses.py",
    "training/schedule.py",
)
ATTENTION = "models/attention.py"
PRETRAINED = ("pretrained/imagenet.py", "pretrained/names.py")
BACKBONES = "models/backbones"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def source_digest(
    backbone: str, calibration: str, pretrained: str = "none", package: Path = PACKAGE
) -> str:
    """Return the SHA-256 of the code that decides what a training of this network computes.

    `pretrained` names whose weights it starts from, "none" if it does not.
    """
    others = {name for name in CALIBRATIONS.values() if name} - {CALIBRATIONS[calibration]}
    file = (CALIBRATIONS[calibration] or "").rpartition(".")[0]
    digest = hashlib.sha256()
    for name in source_files(backbone, package):
        digest.update(_code(package / name).encode() + b"\0")
    if calibration != "none":
        digest.update(_code(package / ATTENTION, others).encode())
    if file:
        digest.update(_code(package / "models" / f"{file}.py").encode())
    for name in PRETRAINED if pretrained != "none" else ():
        digest.update(_code(package / name).encode() + b"\0")
    return digest.hexdigest()


def source_files(backbone: str, package: Path = PACKAGE) -> list[str]:
    """Return the files behind the trained bits of a backbone, besides its calibration's."""
    own = {file.relative_to(package).as_posix() for file in _with_imports(package, backbone)}
    return sorted(own | set(SOURCES), key=lambda name: package / name)


def fingerprint(**parts: Any) -> str:
    """Return 16 hex digits over `parts` (JSON types)."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _with_imports(package: Path, backbone: str) -> set[Path]:
    """Return the files of a backbone: its own and those beside it that it is built from."""
    found: set[Path] = set()
    waiting = [backbone]
    prefix = f"eacnet.{BACKBONES.replace('/', '.')}."
    while waiting:
        file = package / BACKBONES / f"{waiting.pop()}.py"
        if file in found or not file.is_file():
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            module = getattr(node, "module", None) if isinstance(node, ast.ImportFrom) else None
            if module and module.startswith(prefix):
                waiting.append(module.removeprefix(prefix))
    return found


def _code(file: Path, without: Iterable[str] = ()) -> str:
    """Return a file's code without docstrings, and without those classes that no other needs."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    needed = {
        base.id
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name not in without
        for base in node.bases
        if isinstance(base, ast.Name)
    }
    dropped = set(without) - needed
    tree.body = [node for node in tree.body if getattr(node, "name", None) not in dropped]
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
