"""Whether all tests pass time after time, each time in another order.

    python measurements/repeat_tests.py                     # ten whole runs, as `make test` does
    python measurements/repeat_tests.py 5 tests/inference   # five runs of one folder

Each run has its number as the seed of the order; `pytest --randomly-seed=N` repeats it.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPTIONS = (
    *("--numprocesses", "auto", "--dist", "loadfile", "--max-worker-restart", "0"),
    "--no-loadscope-reorder",  # else files with most tests come first, always
)


def main() -> None:
    """Run the tests, print a line a run, and exit with 1 if any run was red."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    red = 0
    for seed in range(1, runs + 1):
        start = time.perf_counter()
        command = [sys.executable, "-m", "pytest", *OPTIONS, f"--randomly-seed={seed}"]
        done = subprocess.run(
            [*command, *sys.argv[2:]],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = done.stdout.splitlines()
        summary = next((line.strip("= ") for line in reversed(lines) if " in " in line), "no test")
        seconds = time.perf_counter() - start
        print(f"seed {seed}: exit code {done.returncode}, {summary}, {seconds:.0f} s", flush=True)
        if done.returncode:
            red += 1
            print(done.stdout, flush=True)
    sys.exit(red > 0)


if __name__ == "__main__":
    main()
