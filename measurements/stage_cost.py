"""Running a program of the pipeline and noting what its stages cost."""

import os
import resource
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
EVERY = 0.2


@dataclass
class Cost:
    """What a program took.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of the processor, in all its processes.
        resident: peak memory of each stage and its processes in bytes; pages that processes share
            count in each of them, so it is an upper bound.
        own: the same without pages of files, such as those of the prepared store, which the system
            takes back where it needs them.
        code: exit code.
    """

    seconds: float = 0
    cpu_seconds: float = 0
    resident: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    own: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    code: int = 0


def run(folder: Path, program: str, *arguments: str, check: bool = True, **options) -> Cost:
    """Run a program of this environment in a copy of the project."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    cost, start, before = Cost(), time.perf_counter(), _processor()
    command = [BIN / program, *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environment, **options)
    sampler = threading.Thread(target=_sample, args=(process, cost))
    sampler.start()
    cost.code = process.wait()
    cost.seconds, cost.cpu_seconds = time.perf_counter() - start, _processor() - before
    sampler.join()
    if check and cost.code:
        sys.exit(f"error: {program} {' '.join(arguments)} ended with exit code {cost.code}")
    return cost


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _sample(process: subprocess.Popen, cost: Cost) -> None:
    """Note the largest memory of each stage until `process` ends."""
    root = psutil.Process(process.pid)
    while process.poll() is None:
        for child in _children(root):
            if stage := _stage(child):
                sizes = [_memory(each) for each in (child, *_children(child))]
                resident, shared = map(sum, zip(*sizes, strict=True))
                cost.resident[stage] = max(cost.resident[stage], resident)
                cost.own[stage] = max(cost.own[stage], resident - shared)
        time.sleep(EVERY)


def _stage(process: psutil.Process) -> str | None:
    """Return the stage that `python -m stages.<name>` runs, None for any other process."""
    try:
        command = process.cmdline()
    except psutil.Error:
        return None
    named = command[1:2] == ["-m"] and len(command) > 2 and command[2].startswith("stages.")
    return command[2].removeprefix("stages.") if named else None


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:  # it ended meanwhile
        return []


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Return resident bytes, and those of them that belong to files."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0, 0
    return memory.rss, memory.shared
