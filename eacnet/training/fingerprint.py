"""What a training depends on, as a hash: only a training with the same one may be resumed."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
SOURCES = (
    "data/samples.py",
    "data/device.py",
    "data/colour.py",
    "models",
    "training",
)


def source_digest(package: Path = PACKAGE, sources: Iterable[str] = SOURCES) -> str:
    """Return the SHA-256 of the source files that decide what a training computes."""
    digest = hashlib.sha256()
    for source in sources:
        path = package / source
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(package).as_posix().encode() + b"\0")
            digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def fingerprint(**parts: Any) -> str:
    """Return 16 hex digits over `parts` (JSON types)."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
