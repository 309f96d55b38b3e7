"""Writing files so that a reader never meets half of one, and reading them back.

What is written gets a temporary name beside its own, reaches the disk, and only then takes its
name. A file takes the place of a file, and a folder that of a folder that holds nothing but what
is written there: nothing of the user's is ever deleted.
"""

import errno
import hashlib
import json
import math
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from eacnet.errors import InputError
from eacnet.leftovers import remove, sweep, temporary_name


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a file; it becomes `path` on success and is deleted on any error.

    Raises:
        InputError: something else than a file is at `path`, such as a folder.
        OSError: it can't be written; names `path`.
    """
    check_file(path)
    with _replacing(path) as temporary:
        yield temporary


@contextmanager
def replacing_folder(path: Path, holds: Sequence[str]) -> Iterator[Path]:
    """Yield a temporary path for a folder; it becomes `path` on success, any error deletes it.

    Args:
        path: where the folder belongs.
        holds: patterns of the relative paths that are written there, such as "*/images.npy", in
            which no star crosses a slash. A folder that holds any other file is not replaced.

    Raises:
        InputError: at `path` is a file, or a folder that holds something else.
        OSError: it can't be written; names `path`.
    """
    if os.path.lexists(path):
        if path.is_symlink() or not path.is_dir():
            raise InputError(f"{path} is no folder, and one is to be written there; move it away")
        for file in sorted(path.rglob("*")):
            name = file.relative_to(path).as_posix()
            if not (file.is_dir() or any(_fits(name, pattern) for pattern in holds)):
                raise InputError(
                    f"{path} would be replaced, but holds {name}, which is none of its own files; "
                    "move it away"
                )
    with _replacing(path) as temporary:
        yield temporary


def check_file(path: Path) -> None:
    """Refuse a path at which no file can be written; what needs long calls this first.

    Raises:
        InputError: it is a folder or a device, or there is no folder that could hold it.
    """
    if not path.name or path.is_dir():
        raise InputError(f"{path} is a folder; name a file to write")
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no regular file, and is not replaced; name another one")
    check_folder(path.parent)


def check_folder(path: Path) -> None:
    """Refuse a folder in which nothing can be written; it need not exist yet.

    Raises:
        InputError: it, or what it would lie in, is no folder or may not be written to.
    """
    there = next(folder for folder in (path, *path.parents) if os.path.lexists(folder))
    if not there.is_dir():
        raise InputError(f"{there} is no folder, so nothing can be written in it; name another one")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{there} may not be written to; name another folder, or change its mode")


def real(path: Path) -> Path:
    """Return where a path leads; unlike `Path.resolve`, also of links that lead in a circle."""
    return Path(os.path.realpath(path))


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        yield temporary
        _sync(temporary)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        temporary.replace(path)
        _sync_one(path.parent)
    except OSError as error:
        # Not the temporary name. What the caller read meanwhile keeps its own.
        named = error.filename is not None and os.fspath(temporary) in str(error.filename)
        # A library's own words, without a number, are lost where a name is set beside them.
        if named or (error.filename is None and error.errno is not None):
            error.filename = str(path)
            del error.filename2  # of a rename; None would be shown as a second name
        raise
    finally:
        with suppress(OSError):
            remove(temporary)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, all of it or nothing."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, all of it or nothing."""
    write_bytes(path, text.encode())


def write_json(path: Path, data: Any) -> None:
    """Write `data` to `path` as indented JSON with a final newline, all of it or nothing.

    Raises:
        ValueError: a figure is NaN or infinite, which JSON can't hold.
    """
    write_text(path, json.dumps(data, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file that an earlier stage wrote; `eacnet.result_files` checks what it holds.

    Raises:
        InputError: the file is missing or is none, is no JSON, or holds NaN or an infinite number.
    """
    try:
        check_is_file(path)
        text = path.read_bytes().decode()
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no valid JSON ({error}); `dvc repro -f` remakes it") from None
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror})") from None


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        InputError: the file is missing, or is none.
    """
    check_is_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it") from None


def check_is_file(path: Path) -> None:
    """Refuse to read what is there and is no file: a pipe would be waited for.

    Raises:
        InputError: it is a folder, a pipe or a device.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no regular file; put a file there")


def set_aside(path: Path) -> Path:
    """Give a damaged file or folder the suffix .damaged, out of the way to be looked at."""
    aside = path.with_suffix(".damaged")
    remove(aside)
    return path.replace(aside)


def is_private(path: Path) -> bool:
    """Whether only this user can have written a file or folder: code in it may be run."""
    status = path.lstat()
    mine = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    return mine and not stat.S_ISLNK(status.st_mode) and not status.st_mode & 0o022


def _fits(name: str, pattern: str) -> bool:
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch, parts, wanted))


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is no finite number")
    return value


def _sync(path: Path) -> None:
    """Bring a file, or all of a folder, to the disk: a rename may get there before the content."""
    if path.is_dir():
        for inner in path.iterdir():
            _sync(inner)
    _sync_one(path)


def _sync_one(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems have no such call for folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)
