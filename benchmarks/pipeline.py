"""How long the default pipeline takes from nothing and with nothing to do, and its peak memory.

Runs in a fresh clone of the last commit, with this environment's programs:

    python benchmarks/pipeline.py
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eacnet.provenance import cpu_name
from eacnet.runtime.environment import usable_cores

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def main() -> None:
    """Clone, run, run again, and print a Markdown table."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        fresh = _seconds(clone, "dvc", "repro", "--force")
        again = sorted(_seconds(clone, "dvc", "repro") for _ in range(3))[1]
    # Of all processes that ran above the largest: the trainings.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"\n{cpu_name()}, {usable_cores()} cores\n")
    print("| default pipeline | measured |\n| --- | --- |")
    print(f"| `dvc repro` from nothing | {fresh:.0f} s |")
    print(f"| `dvc repro` with nothing to do | {again:.1f} s |")
    print(f"| peak memory of any stage | {peak:.2f} GiB |")


def _seconds(clone: Path, program: str, *arguments: str) -> float:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    start = time.perf_counter()
    subprocess.run(
        [BIN / program, *arguments],
        cwd=clone,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
