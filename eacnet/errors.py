"""Errors for people: one line that says what is wrong, where, and what to do."""

import errno
import os
import re
import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import FrameType

# CUDA, cuDNN, oneDNN, Linux and Windows each have their own words for it.
OUT_OF_MEMORY = re.compile(
    r"out of memory|not enough memory|allocate memory|ALLOC_FAILED|bad_alloc|failed to allocate",
    re.IGNORECASE,
)


class InputError(Exception):
    """Something outside the code is wrong: a parameter, a file, a dataset.

    The message is one line and is all that the user sees; the process ends with exit code 1.
    """


# What the disk, the memory and the installation are to blame for, among other things.
ELSEWHERE = (OSError, MemoryError, RuntimeError, ModuleNotFoundError)


def exit_on_error(main: Callable[[], None]) -> None:
    """Run `main`; turn what can be explained into one line and exit code 1.

    That is InputError, Ctrl-C, SIGTERM, a full disk, lack of memory and a package that is not
    installed. SIGTERM is raised as KeyboardInterrupt, so that half-written files are cleaned up on
    both.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        main()
    except (InputError, KeyboardInterrupt, *ELSEWHERE) as error:
        message = _explained(error)
        if message is None:
            raise
        # Of several training processes, the first one on each machine speaks.
        first = os.environ.get("LOCAL_RANK", "0") == "0"
        sys.exit(f"error: {message}" if first else 1)


def lacks_memory(error: BaseException) -> bool:
    """Tell whether an error of any library is a lack of memory."""
    said = isinstance(error, RuntimeError) and OUT_OF_MEMORY.search(str(error))
    return isinstance(error, MemoryError) or bool(said)


def _explained(error: BaseException) -> str | None:
    """Return the line for an error that is none of the code's, None for any other."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; nothing half-written was kept, run the same command again"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" while writing {error.filename}" if error.filename else ""
        return f"disk full{where}; free some space and run the same command again"
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "eacnet").partition(".")[0]
        installed = find_spec(package) is not None
        return None if installed else f"{package} is not installed: pip install eacnet[pipeline]"
    reason = " ".join(str(error).split())
    if lacks_memory(error):
        return f"out of memory ({reason[:200]}); a smaller batch, crop or image needs less"
    return None


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
