"""The temporary names of what is being written, and what dead processes left under such names."""

import hashlib
import os
import re
import secrets
import shutil
import socket
from contextlib import suppress
from pathlib import Path

_LEFTOVER = re.compile(r"\..*\.(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-[0-9a-f]+\.tmp", re.DOTALL)
_LONGEST_NAME = 255  # bytes, on all common file systems
_swept: set[tuple[int, Path]] = set()


def _host() -> str:
    """Return within what a process number names one process: on a shared disk there are several.

    Machines and containers may share a name, containers the kernel, and two kernels the number of
    their first namespace.
    """
    where = [socket.gethostname()]
    with suppress(OSError):  # Linux alone has these
        where.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        where.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return hashlib.sha256("\0".join(where).encode()).hexdigest()[:6]


HOST = _host()


def temporary_name(path: Path) -> Path:
    """Return a name beside `path` that no other writer has."""
    end = f".{HOST}-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    # The name itself may be as long as names can be.
    start = os.fsdecode(os.fsencode(path.name)[: _LONGEST_NAME - 1 - len(end)])
    return path.with_name(f".{start}{end}")


def sweep(folder: Path) -> None:
    """Delete what dead processes of this user left half-written in a folder, once a process."""
    if (key := (os.getpid(), folder.absolute())) in _swept or os.name != "posix":
        return
    _swept.add(key)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = _LEFTOVER.fullmatch(entry.name)
            if found and found["host"] == HOST and not _alive(int(found["pid"])):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                        remove(Path(entry.path))


def remove(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
