"""Writing files so that a reader never meets half of one."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eacnet.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it on any error.

    Works for a file and for a folder (the caller creates either). A folder that was at `path`
    before is removed only after the new one is complete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _remove(temporary)
    try:
        yield temporary
        if path.is_dir():
            _remove(path)
        temporary.replace(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        _remove(temporary)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, data: Any) -> None:
    """Write `data` to `path` as indented JSON with a final newline, all of it or nothing.

    Raises:
        ValueError: a figure is NaN or infinite, which JSON can't hold.
    """
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file that an earlier stage wrote.

    Raises:
        InputError: the file is missing or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it") from None
    except ValueError as error:
        raise InputError(f"{path} is no valid JSON ({error}); `dvc repro -f` remakes it") from None


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        InputError: the file is missing.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it") from None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
