"""Which planted faults the tests see: mutants of the five rooms that decide a result.

    python measurements/mutation.py                       250 mutants, 50 of each room
    python measurements/mutation.py --again survivors.txt those that were survived, after new tests

Runs in a clone of the last commit. The tests of the rooms run once, to learn which tests reach
which line; each mutant then meets the tests of its room that reach its line, the quickest first,
until one fails or takes too long. A process that has imported the libraries is forked for each,
which spares seconds of imports. Needs `coverage`.

A tool off the shelf was not used: mutmut puts all mutants of a function in one file, which changes
the fingerprint of a training that tests compare, and others start PyTorch anew for each mutant.
"""

import argparse
import contextlib
import importlib
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import coverage
import pytest
from mutants import Mutant, mutants

ROOT = Path(__file__).parents[1]
ROOMS = ("data", "models", "training", "evaluation", "inference")
LIBRARIES = ("torch", "torchvision.transforms.v2", "torch._dynamo", "lightning_fabric", "pandas")
LIBRARIES += ("scipy.stats", "onnx", "hypothesis", "matplotlib.pyplot", "xdist")
PYTEST = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-o", "addopts=")
# Of a processor: how long they take by the clock depends on what else runs.
LEAST_SECONDS = 30
WALL_SECONDS = 900


def main() -> None:
    """Draw mutants, run them, print the table and the survivors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", type=int, default=50, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--room", action="append", choices=ROOMS)
    parser.add_argument("--again", type=Path, help="a file of lines as `survived` prints them")
    parser.add_argument("--cache", type=Path, help="keep here what the tests reach, and outcomes")
    options = parser.parse_args()
    rooms = options.room or ROOMS
    for name in LIBRARIES:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        root = Path(folder, "clone")
        subprocess.run(["git", "clone", "--quiet", ROOT, root], check=True)
        if (shared := ROOT.parent / "shared").exists():  # reference vectors stand beside it
            Path(folder, "shared").symlink_to(shared.resolve())
        cache = options.cache or Path(folder)
        chosen = {room: draw(root, room, options.each, options.seed) for room in rooms}
        if options.again:
            named = set(options.again.read_text().splitlines())
            chosen = {room: [m for m in every(root, room) if str(m) in named] for room in rooms}
        outcomes: dict[str, Counter] = {}
        for room in rooms:
            reach = reached(root, room, cache / f"{room}.json")
            outcomes[room] = Counter()
            for mutant in chosen[room]:
                outcome, seconds = meet(root, mutant, reach)
                outcomes[room][outcome] += 1
                print(f"{outcome} {seconds:.0f}s {mutant}", flush=True)
    print("\n| room | mutants | killed | share | 95 % interval |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for room, found in [*outcomes.items(), ("all", sum(outcomes.values(), Counter()))]:
        n, killed = sum(found.values()), sum(found.values()) - found["survived"]
        low, high = wilson(killed, n)
        print(f"| {room} | {n} | {killed} | {killed / n:.1%} | {low:.1%} to {high:.1%} |")


def every(root: Path, room: str) -> list[Mutant]:
    """Return all mutants of a room."""
    files = sorted((root / "eacnet" / room).rglob("*.py"))
    return [m for file in files for m in mutants(root, file.relative_to(root).as_posix())]


def draw(root: Path, room: str, n: int, seed: int) -> list[Mutant]:
    """Return `n` mutants of a room, each as likely as any other."""
    found = every(root, room)
    random.Random(f"{room} {seed}").shuffle(found)
    return found[:n]


class Watch:
    """A pytest plugin that notes which test runs which line, and for how long it takes."""

    def __init__(self) -> None:
        self.coverage = coverage.Coverage(data_file=None, include=["*/eacnet/*"])
        self.seconds: dict[str, float] = {}
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        """Count a test's setup and teardown as its own."""
        self.coverage.switch_context(item.nodeid)
        begun = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - begun
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: object, request: pytest.FixtureRequest) -> object:
        """Count a fixture of many tests as what the whole file reaches."""
        if fixturedef.scope == "function":
            return (yield)
        self.coverage.switch_context(request.node.nodeid.partition("::")[0])
        result = yield
        self.coverage.switch_context(os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0])
        return result

    def write(self, path: Path, root: Path) -> None:
        """Write a JSON file: seconds of each test, and the tests of each line of each file."""
        self.coverage.stop()
        data = self.coverage.get_data()
        lines = {}
        for name in data.measured_files():
            found = data.contexts_by_lineno(name)
            lines[Path(name).relative_to(root).as_posix()] = found
        path.write_text(json.dumps({"seconds": self.seconds, "lines": lines}))


def reached(root: Path, room: str, path: Path) -> dict:
    """Return what `Watch` notes of a room's tests; exit if one fails without a mutant."""
    if not path.is_file():
        code, seconds = forked(root, [f"tests/{room}"], 3600, path)
        if code != 0:
            sys.exit(f"error: the tests of {room} fail or hang without a mutant")
        print(f"tests of {room}: {seconds:.0f} s, watched", flush=True)
    return json.loads(path.read_text())


def tests_of(mutant: Mutant, reach: dict) -> list[str]:
    """Return the tests that reach a mutant's line, the quickest first.

    A line that runs at import, or in other processes only, is met by the tests that reach its file.
    """
    lines = reach["lines"].get(mutant.path, {})
    found = {name for name in lines.get(str(mutant.line), []) if name}
    if not found:
        found = {name for names in lines.values() for name in names if name}
    seconds = reach["seconds"]
    tests = [test for test in seconds if test in found or test.partition("::")[0] in found]
    return sorted(tests or seconds, key=seconds.get)


def meet(root: Path, mutant: Mutant, reach: dict) -> tuple[str, float]:
    """Run the tests of a mutant; return killed, timeout or survived, and seconds."""
    tests = tests_of(mutant, reach)
    limit = LEAST_SECONDS + 3 * sum(reach["seconds"][test] for test in tests)
    original = (root / mutant.path).read_bytes()
    mutant.apply(root)
    try:
        code, seconds = forked(root, tests, limit)
    finally:
        (root / mutant.path).write_bytes(original)
    slow = {None: "timeout", -signal.SIGXCPU: "timeout", -signal.SIGKILL: "timeout"}
    return {0: "survived", **slow}.get(code, "killed"), seconds


def forked(
    root: Path, tests: list[str], limit: float, watch: Path | None = None
) -> tuple[int | None, float]:
    """Run tests in a fork of this process; return the exit code, None if too slow, and seconds."""
    begun = time.monotonic()
    child = os.fork()
    if not child:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit) + 5))
        _in_child(root, tests, watch)
    while time.monotonic() - begun < (WALL_SECONDS if not watch else 4 * WALL_SECONDS):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code: int | None = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.05)
    else:
        code = None
    with contextlib.suppress(ProcessLookupError):  # also what it has left running
        os.killpg(child, signal.SIGKILL)
    if code is None:
        os.waitpid(child, 0)
    return code, time.monotonic() - begun


def _in_child(root: Path, tests: list[str], watch: Path | None) -> None:
    code = 1
    try:
        os.chdir(root)
        # `python -m` in a test starts this clone's code too.
        os.environ["PYTHONPATH"] = str(root)
        sys.path[:] = [str(root), *(p for p in sys.path if Path(p or ".") != Path(__file__).parent)]
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        with Path(os.devnull if not watch else watch.with_suffix(".log")).open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        plugin = Watch() if watch else None
        code = int(pytest.main([*PYTEST, *tests], plugins=[plugin] if plugin else []))
        if plugin:
            plugin.write(watch, root)
    finally:
        os._exit(code)


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    share, spread = hits / n, z * z / n
    middle = share + spread / 2
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


if __name__ == "__main__":
    main()
