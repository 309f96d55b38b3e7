"""How long the default pipeline takes from nothing and with nothing to do, and its peak memory.

Runs in a fresh clone of the last commit, with this environment's programs:

    python measurements/pipeline.py
    python measurements/pipeline.py --set recipes.synthetic.epochs=1 --set "ablation.seeds=[1]"

Memory is the resident memory of a stage and all processes that it started, summed and sampled
every 200 ms: pages that processes share count in each of them, so it is an upper bound.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import psutil
from ruamel.yaml import YAML

from eacnet.machine import usable_cores
from eacnet.provenance import cpu_name

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def main() -> None:
    """Clone, run, run again, and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change params.yaml in the clone, for a shorter run",
    )
    changes = parser.parse_args().set
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        _change(clone / "params.yaml", changes)
        fresh, peaks = _run(clone, "dvc", "repro", "--force")
        again = sorted(_run(clone, "dvc", "repro")[0] for _ in range(3))[1]
    print(f"\n{cpu_name()}, {usable_cores()} cores")
    print(f"changed: {', '.join(changes)}\n" if changes else "")
    print("| pipeline | measured |\n| --- | ---: |")
    print(f"| `dvc repro` from nothing | {fresh:.0f} s |")
    print(f"| `dvc repro` with nothing to do | {again:.1f} s |")
    for stage, peak in sorted(peaks.items(), key=lambda item: -item[1]):
        print(f"| peak memory of stage {stage} | {peak / 1e9:.2f} GB |")


def _change(path: Path, changes: list[str]) -> None:
    """Apply KEY=VALUE to a YAML file, where a value is YAML itself."""
    yaml = YAML()
    params = yaml.load(path)
    for change in changes:
        key, _, value = change.partition("=")
        *parents, last = key.split(".")
        node = params
        for parent in parents:
            node = node[parent]
        node[last] = yaml.load(value)
    yaml.dump(params, path)


def _run(clone: Path, program: str, *arguments: str) -> tuple[float, dict[str, int]]:
    """Run a program; return its seconds and the peak memory of each stage in bytes."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    peaks: dict[str, int] = defaultdict(int)
    start = time.perf_counter()
    process = subprocess.Popen(
        [BIN / program, *arguments], cwd=clone, env=environment, stdout=subprocess.DEVNULL
    )
    sampler = threading.Thread(target=_sample, args=(process, peaks))
    sampler.start()
    code = process.wait()
    seconds = time.perf_counter() - start
    sampler.join()
    if code:
        sys.exit(f"error: {program} {' '.join(arguments)} ended with exit code {code}")
    return seconds, dict(peaks)


def _sample(process: subprocess.Popen, peaks: dict[str, int]) -> None:
    """Note the largest memory of each stage until `process` ends."""
    root = psutil.Process(process.pid)
    while process.poll() is None:
        for child in _children(root):
            if stage := _stage(child):
                family = (child, *_children(child))
                peaks[stage] = max(peaks[stage], sum(map(_resident, family)))
        time.sleep(0.2)


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


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
