"""Faults on purpose: bad inputs to every command and stage, kills at any moment, full disks.

    python measurements/faults.py                 all of it: some 10 minutes on two cores
    python measurements/faults.py --only inputs --match model

A bad input must end in one line and an exit code within a minute: no traceback, no signal, nothing
half-written. Where its damage must be noticed, exit code 0 is a fault too. After a kill the same
command must give the same bytes as if nothing had happened, and leave no temporary file. Full disks
are file systems of a few MB, which needs the right to mount, and limits on the size of a file.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fault_inputs import Case, cases
from fault_project import STAGES, make_project
from fault_run import Outcome, run, start

TIME_LIMIT = 60  # seconds
KILLS, DISKS = 35, 10
RESULTS = ("data", "models", "reports")


def main() -> None:
    """Run what is asked for, print a table and each fault; exit code 1 if there is one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("inputs", "kills", "disks"))
    parser.add_argument("--match", default="", help="bad inputs whose name holds this text")
    options = parser.parse_args()
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        project = make_project(Path(folder, "project"))
        if options.only in (None, "inputs"):
            faults += bad_inputs(project, options.match)
        if options.only in (None, "kills"):
            faults += kills(project)
        if options.only in (None, "disks"):
            faults += full_disks(project)
    print(*faults, sep="\n")
    sys.exit(bool(faults))


def bad_inputs(project: Path, match: str) -> list[str]:
    """Run all cases, each in a copy of the project of its own; return the faults."""
    counts: dict[str, Counter] = {}
    faults = []
    for case in cases(project):
        if match not in case.name:
            continue
        copy = project.with_name(f"copy-{os.getpid()}")
        shutil.copytree(project, copy, symlinks=True)
        try:
            case.spoil(copy)
            before = files(copy)
            outcome = run(case.command, copy, TIME_LIMIT)
            left = [name for name in files(copy) - before if name.endswith(".tmp")]
        finally:
            subprocess.run(["chmod", "-R", "u+rwX", copy], check=True)
            shutil.rmtree(copy)
        verdict = judged(case, outcome, left)
        counts.setdefault(case.kind, Counter()).update([verdict or "fine"])
        if verdict:
            faults.append(f"{case.name}: {verdict}\n    {' '.join(case.command)}\n{outcome.tail}")
            print(faults[-1], file=sys.stderr)
    print("| bad input | cases | traceback | hangs | ends by a signal | other faults |")
    print("| --- | --- | --- | --- | --- | --- |")
    kinds = ("traceback", "hangs", "signal")
    for kind, found in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        numbers = [found[verdict] for verdict in kinds]
        others = sum(found.values()) - sum(numbers) - found["fine"]
        print(f"| {kind} | {sum(found.values())} | {' | '.join(map(str, [*numbers, others]))} |")
    return faults


def judged(case: Case, outcome: Outcome, left: list[str]) -> str:
    """Say what is wrong with how a bad input ended, or ""."""
    if outcome.code is None:
        return "hangs"
    if "Traceback" in outcome.text:
        return "traceback"
    if outcome.code < 0:
        return "signal"
    lines = [line for line in outcome.text.splitlines() if line.startswith("error: ")]
    if outcome.code and len(lines) != 1 and "usage:" not in outcome.text:
        return f"exit code {outcome.code} with {len(lines)} lines of error"
    if case.must_fail is not None and bool(outcome.code) != case.must_fail:
        return f"exit code {outcome.code}"
    return "half-written files are left" if left else ""


def kills(project: Path) -> list[str]:
    """Kill stages at random moments and run them again; return the faults."""
    faults, draw = [], random.Random(0)
    per_stage = -(-KILLS // len(STAGES))
    for name, stage in STAGES.items():
        for attempt in range(per_stage):
            copy = project.with_name(f"copy-{os.getpid()}")
            shutil.copytree(project, copy, symlinks=True)
            # Nothing is taken over: the stage works all the way.
            shutil.rmtree(copy / ".cache", ignore_errors=True)
            begun = time.monotonic()
            run(stage, copy, 10 * TIME_LIMIT)
            took = time.monotonic() - begun
            reference = digest(copy)
            shutil.rmtree(copy / ".cache", ignore_errors=True)
            process = start(stage, copy)
            time.sleep(draw.uniform(0.05, 1) * took)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            outcome = run(stage, copy, 10 * TIME_LIMIT)
            left = [path for path in files(copy) if path.endswith(".tmp")]
            if outcome.code or left or digest(copy) != reference:
                faults.append(f"kill {attempt} of {name}: {left or outcome.tail or 'other bytes'}")
            shutil.rmtree(copy)
    print(f"{per_stage * len(STAGES)} kills of {len(STAGES)} stages: {len(faults)} faults")
    return faults


def full_disks(project: Path) -> list[str]:
    """Run stages and commands where the disk is full; return the faults."""
    predict = ["eacnet", "predict", "image.png", "--model", "models/synthetic/main.safetensors"]
    commands = {**STAGES, "predict": predict, "predict, many": [*predict, "--side-by-side"]}
    faults, done = [], 0
    for name, command in list(commands.items()) * 2:
        if done == DISKS:
            break
        done += 1
        kind: Callable[..., Outcome] = _limited if done > len(commands) else _small_disk
        outcome = kind(project, command)
        if outcome.code != 1 or outcome.text.count("error: ") != 1 or "Traceback" in outcome.text:
            faults.append(f"full disk, {name}: exit code {outcome.code}\n{outcome.tail}")
    print(f"{done} full disks: {len(faults)} faults")
    return faults


def _small_disk(project: Path, command: list[str]) -> Outcome:
    """Run a command in a copy of the project whose file system is full."""
    disk = project.with_name("disk")
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", disk], check=True)
    try:
        copy = disk / "project"
        shutil.copytree(project, copy, symlinks=True)
        shutil.rmtree(copy / ".cache", ignore_errors=True)
        with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        return run(command, copy, TIME_LIMIT)
    finally:
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()


def _limited(project: Path, command: list[str]) -> Outcome:
    copy = project.with_name(f"copy-{os.getpid()}")
    shutil.copytree(project, copy, symlinks=True)
    shutil.rmtree(copy / ".cache", ignore_errors=True)
    try:
        return run(command, copy, TIME_LIMIT, largest_file=100)
    finally:
        shutil.rmtree(copy)


def files(folder: Path) -> set[str]:
    """Return the names of all files and folders below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def digest(folder: Path) -> dict[str, bytes]:
    """Return the content of all results."""
    found = [path for name in RESULTS for path in (folder / name).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


if __name__ == "__main__":
    main()
