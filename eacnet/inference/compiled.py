"""Compiled libraries, kept in a folder that nobody else can put code into."""

import atexit
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock

from eacnet.files import is_private, replacing
from eacnet.provenance import cpu_name

_DIGEST = hashlib.sha256().digest_size
_one_at_a_time = Lock()


def compiled(source: Path, command: Sequence[str], name: str) -> Path:
    """Return the library that a compiler makes of a source file, made if need be.

    A library ends with a checksum of itself and of what it was made from, which loaders do not
    read. One that does not, such as one that was cut, would kill the process that loads it, and is
    made again.

    Args:
        source: a file of C++.
        command: the compiler and its flags, without source and target.
        name: of the library, for people; what it was made from is added to it.

    Raises:
        OSError: there is no such compiler, or no place for the library.
        subprocess.SubprocessError: the compiler failed.
    """
    version = _run([command[0], "--version"])
    # A home folder may be shared by machines whose processors differ, though not in name.
    identity = [source.read_text(encoding="utf-8"), version, cpu_name(), _abilities(), *command]
    key = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:16]
    library = _folder() / f"{name}-{key}.so"
    with _one_at_a_time:
        if not _is_whole(library, key):
            with replacing(library) as temporary:
                _run([*command, str(source), "-o", str(temporary)])
                temporary.chmod(0o700)
                content = temporary.read_bytes()
                temporary.write_bytes(content + _digest(key, content))
    return library


def _abilities() -> str:
    """Return what the processor can do, as Linux lists it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()


def _is_whole(library: Path, key: str) -> bool:
    try:
        whole = library.read_bytes()
        return is_private(library) and _digest(key, whole[:-_DIGEST]) == whole[-_DIGEST:]
    except OSError:
        return False


def _folder() -> Path:
    """Return ~/.cache/eacnet (or XDG_CACHE_HOME's), or a folder for this process alone.

    The latter where there is no home, or where others could put something into it. A relative
    XDG_CACHE_HOME is ignored, as its specification says.
    """
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME", ""))
        folder = (home if home.is_absolute() else Path.home() / ".cache") / "eacnet"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_dir() and is_private(folder) and os.access(folder, os.W_OK):
            folder.chmod(0o700)
            return folder
    except (OSError, RuntimeError):
        pass
    return _temporary_folder()


@cache
def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="eacnet-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
    return done.stdout
