"""Errors for people: one line that says what is wrong, where, and what to do."""

import atexit
import errno
import gc
import io
import os
import re
import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

_FULL = (errno.ENOSPC, errno.EDQUOT)
# What PyTorch and zipfile say instead, where a write failed in the midst of an archive.
_FULL_WORDS = ("unexpected pos", "write failed", "failed writing", "No space left")

# CUDA, cuDNN, oneDNN, Linux and Windows each have their own words for it.
OUT_OF_MEMORY = re.compile(
    r"out of memory|not enough memory|allocate memory|ALLOC_FAILED|bad_alloc|failed to allocate",
    re.IGNORECASE,
)


class InputError(Exception):
    """Something outside the code is wrong: a parameter, a file, a dataset.

    The message is one line and is all that the user sees; the process ends with `exit_code`.
    """

    exit_code = 1


class NotCheckedError(InputError):
    """Nothing is known to be wrong, but not all of it could be checked here."""

    exit_code = 3


# What the disk, the memory and the installation are to blame for, among other things.
ELSEWHERE = (OSError, MemoryError, RuntimeError, UnicodeError, ModuleNotFoundError)


def exit_on_error(main: Callable[[], None], takes_arguments: bool = True) -> None:
    """Run `main`; turn what can be explained into one line and an exit code.

    That is InputError, Ctrl-C, SIGTERM, whatever the operating system refuses, a file name that is
    no text, lack of memory and a package that is not installed. SIGTERM is raised as
    KeyboardInterrupt, so that half-written files are cleaned up on both. A reader that closed the
    pipe, such as `head`, is no error to tell of.

    A `main` that takes no arguments is not run with any: they were meant for something else.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    # At a process's end Python collects garbage over and over while it takes PyTorch's modules to
    # pieces: a second in which nobody gains anything.
    atexit.register(gc.disable)
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        # File names and classes may hold what a terminal's encoding does not.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        if sys.argv[1:] and not takes_arguments:
            raise InputError(f"{' '.join(sys.argv[1:])}: this stage takes no arguments")
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would fail once more at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)  # what a shell makes of SIGPIPE
    except (InputError, KeyboardInterrupt, *ELSEWHERE) as error:
        message = explained(error)
        if message is None:
            raise
        code = getattr(error, "exit_code", 1)
        if _another_speaks():
            sys.exit(code)
        if code == 1:
            sys.exit(f"error: {message}")
        print(f"error: {message}", file=sys.stderr)
        sys.exit(code)


class _Log(io.FileIO):
    """Standard error: what can't be written to it is lost, and ends no work."""

    def write(self, line: Any) -> int:
        try:
            return super().write(line) or 0
        except BrokenPipeError:
            raise
        except OSError:  # its disk is full, say
            return len(line)


def _open_streams() -> None:
    """Have both streams, where `>&-` or `2>&-` closed them, too."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            file, encoding = io.FileIO(os.devnull, "w"), "utf-8"
        elif name == "stderr" and stream is sys.__stderr__:
            file, encoding = _Log(stream.fileno(), "w", closefd=False), stream.encoding
        else:
            continue
        setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(file), encoding, line_buffering=True))


def _another_speaks() -> bool:
    """Of several training processes, the first one on each machine speaks."""
    processes = os.environ.get("WORLD_SIZE", "")
    several = processes.isdecimal() and processes.lstrip("0") not in ("", "1")
    return several and os.environ.get("LOCAL_RANK", "0") != "0"


def explained(error: BaseException) -> str | None:
    """Return the one line for an error that is none of the code's, None for any other."""
    message = _explained(error)
    return message and one_line(message)


def one_line(text: Any) -> str:
    """Return text in one line: file names may hold line breaks and other control characters."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text))


def first_line(error: BaseException) -> str:
    """Return the first line of what an error of a library says, of a silent one its name."""
    return str(error).strip().partition("\n")[0] or repr(error)


def lacks_memory(error: BaseException) -> bool:
    """Tell whether an error of any library is a lack of memory."""
    return isinstance(error, MemoryError) or bool(OUT_OF_MEMORY.search(str(error)))


def _explained(error: BaseException) -> str | None:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; nothing half-written was kept, run the same command again"
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "eacnet").partition(".")[0]
        installed = find_spec(package) is not None
        return None if installed else f"{package} is not installed: pip install eacnet[pipeline]"
    reason = " ".join(str(error).split())
    if getattr(error, "errno", None) in _FULL or any(words in reason for words in _FULL_WORDS):
        name = getattr(error, "filename", None)
        where = f" while writing {name}" if name else ""
        return f"disk full{where}; free some space and run the same command again"
    if isinstance(error, OSError):
        if isinstance(error, FileNotFoundError) and _is_nowhere():
            return "the folder that this runs in was deleted; change to one that is there"
        if error.filename is None or error.strerror is None:
            return reason or type(error).__name__
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    if isinstance(error, UnicodeEncodeError):
        # The text may be as long as a page.
        around = error.object[max(0, error.start - 40) : error.end + 40]
        return f"{around!r} holds bytes that are no text in {error.encoding}; rename it"
    if isinstance(error, UnicodeError):
        return f"a file holds bytes that are no text ({reason})"
    if lacks_memory(error):
        return f"out of memory ({reason[:200]}); a smaller batch, crop or image needs less"
    return None


def _is_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
