"""What DVC recorded of a file or a folder, computed again."""

import hashlib
import json
from pathlib import Path


def recorded_md5(path: Path) -> str | None:
    """Return the MD5 of a file or a folder as dvc.lock has it; None where there is neither.

    A folder's is that of the list of its files, in JSON, and ends in ".dir".
    """
    if path.is_file():
        return _md5(path.read_bytes())
    if not path.is_dir():
        return None
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    entries = [{"md5": _md5(files[name].read_bytes()), "relpath": name} for name in sorted(files)]
    return _md5(json.dumps(entries, sort_keys=True).encode()) + ".dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
