"""What DVC recorded of a file or a folder, computed again."""

import hashlib
import json
from pathlib import Path
from typing import Any


def recorded_md5(path: Path) -> str | None:
    """Return the MD5 of a file or a folder as dvc.lock has it; None where there is neither.

    A folder's is that of the list of its files, in JSON, and ends in ".dir".
    """
    if path.is_file():
        return _of_file(path)
    if not path.is_dir():
        return None
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    entries = [{"md5": _of_file(files[name]), "relpath": name} for name in sorted(files)]
    return _md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"


def _of_file(path: Path) -> str:
    with path.open("rb") as file:  # larger than the memory, some
        return hashlib.file_digest(file, _md5).hexdigest()


def _md5(content: bytes = b"") -> Any:
    return hashlib.md5(content, usedforsecurity=False)
