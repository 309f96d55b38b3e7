"""Running a command or a stage in a child process that has all libraries loaded already."""

import importlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit code, negative for a signal, None for too late; all it printed."""

    code: int | None
    text: str

    @property
    def tail(self) -> str:
        """The last lines of its output, to show."""
        return "\n".join(f"    {line[:300]}" for line in self.text.splitlines()[-12:])


def run(
    command: Sequence[str], folder: Path, seconds: float, largest_file: int | None = None
) -> Outcome:
    """Run `eacnet ...` or `stages.x ...` in a folder, by forking this process.

    Args:
        command: "eacnet" or a module of stages, and its arguments.
        folder: where it runs.
        seconds: after which it counts as hanging, and is killed.
        largest_file: bytes; what `ulimit -f` sets.
    """
    # A pipe: a limit on the size of files would also be one on what is printed into a file.
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        _be(command, folder, theirs, largest_file)
    os.close(theirs)
    printed: list[bytes] = []
    reader = threading.Thread(target=lambda: printed.extend(os.fdopen(ours, "rb")), daemon=True)
    reader.start()
    end = time.monotonic() + seconds
    status = None
    while status is None and time.monotonic() < end:
        pid, found = os.waitpid(child, os.WNOHANG)
        status = found if pid else None
        time.sleep(0.005)
    if status is None:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    reader.join(5)
    text = b"".join(printed).decode(errors="backslashreplace").replace("\r", "\n")
    return Outcome(None if status is None else os.waitstatus_to_exitcode(status), text)


def start(command: Sequence[str], folder: Path) -> subprocess.Popen:
    """Start a stage in a process of its own, the first of a group."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def preload() -> None:
    """Import what commands import, once for all children."""
    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT))  # the stages are no installed package
    for path in sorted((ROOT / "eacnet").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        importlib.import_module(name.removesuffix(".__init__"))


def _be(command: Sequence[str], folder: Path, output: int, largest_file: int | None) -> None:
    """Become the command; never returns."""
    code = 70
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        os.chdir(folder)
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        name, *arguments = command
        sys.argv = [name, *arguments]
        if name == "eacnet":
            importlib.import_module("eacnet.cli").main()
        else:
            from eacnet.errors import exit_on_error

            exit_on_error(importlib.import_module(name).main)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        code = 1 if isinstance(end.code, str) else end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                code = code or 70
        os._exit(code)
