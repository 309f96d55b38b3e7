"""The store of finished trainings: what was trained once is taken over, not trained again.

<store>/<fingerprint>/weights.safetensors, training.csv, training.json. Whoever shares the folder,
other machines, other checkouts, jobs of a cluster, shares the trainings.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from eacnet.errors import InputError
from eacnet.files import checksum, read_json, replacing, replacing_folder, set_aside, write_json

SUMS = "checksums.json"
WEIGHTS, CURVE, FACTS = FILES = ("weights.safetensors", "training.csv", "training.json")


@dataclass(frozen=True)
class Store:
    """The finished trainings at `root`, at most `limit` bytes of them."""

    root: Path
    limit: int

    def take(self, key: str, weights: Path, results: Path) -> None:
        """Copy a finished training to where a stage writes it.

        Raises:
            FileNotFoundError: another process has dropped it meanwhile.
        """
        folder = self.root / key
        for name, target in _targets(weights, results).items():
            with replacing(target) as temporary:
                shutil.copyfile(folder / name, temporary)
        with suppress(OSError):  # a store that this user may only read
            os.utime(folder)

    def put(self, key: str, weights: Path, results: Path) -> None:
        """Keep a copy of a finished training, and drop the longest unused beyond the limit."""
        self.root.mkdir(parents=True, exist_ok=True)
        with replacing_folder(self.root / key, ["*"]) as folder:
            folder.mkdir()
            for name, source in _targets(weights, results).items():
                shutil.copyfile(source, folder / name)
            write_json(folder / SUMS, _sums(folder, key))
        self._trim(keep=key)

    def has(self, key: str) -> bool:
        """Say whether a training is finished, and whole.

        A damaged one is done anew, and said; it is set aside, since others ask for its folder only.
        """
        folder = self.root / key
        if not folder.is_dir():
            return False
        try:
            sums = read_json(folder / SUMS)
            if sums == _sums(folder, key):
                return True
        except (InputError, OSError):
            pass
        print(f"{folder} is damaged, so this network is trained anew")
        with suppress(OSError):  # a store that this user may only read
            set_aside(folder)
        return False

    @contextmanager
    def only_one(self, key: str) -> Iterator[None]:
        """Hold the right to train `key`: of several processes the others wait, and say so."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / f".{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print("another process trains the same network; waiting for it", file=sys.stderr)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _trim(self, keep: str) -> None:
        """Drop finished trainings; another process may do so, or put some, at the same time."""
        others = {}
        for path in self.root.iterdir():
            # What begins with a dot another process is about to write.
            if path.name != keep and not path.name.startswith("."):
                with suppress(FileNotFoundError):
                    others[path] = path.stat().st_mtime, _size(path)
        free = self.limit - _size(self.root / keep) - sum(size for _, size in others.values())
        for path, (_, size) in sorted(others.items(), key=lambda entry: entry[1]):
            if free >= 0:
                return
            shutil.rmtree(path, ignore_errors=True)
            free += size


def _sums(folder: Path, key: str) -> dict[str, str]:
    """Return what an entry records of itself: it can't be another one's under a new name."""
    return {"key": key, **{name: checksum(folder / name) for name in FILES}}


def _targets(weights: Path, results: Path) -> dict[str, Path]:
    return {WEIGHTS: weights, CURVE: results / CURVE, FACTS: results / FACTS}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
