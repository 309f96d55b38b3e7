"""List what there is for every dataset: reports/README.md, from the folders beside it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error, one_line
from eacnet.files import write_text
from eacnet.layout import REPORTS, SPEED
from eacnet.result_files import read_result


def main() -> None:
    """Read the results of all experiments, write the list; it is no output of any one of them."""
    load_params()
    from eacnet.report.pages.index import PARTS, Experiment, index

    experiments, machines = [], []
    for folder in sorted(path for path in REPORTS.iterdir() if path.is_dir()):
        parts = [name for name in PARTS if (folder / name).exists()]
        if not {"main", "ablation.json"} & set(parts):
            continue  # speed, and whatever else lies there
        with _skipping():
            files = {"main/training.json": "training", "main/evaluation.json": "evaluation"}
            files |= {"ablation.json": "ablation"}
            found = [_read(folder / name, kind) for name, kind in files.items()]
            experiment = Experiment(folder.name, parts, *found)
            index([experiment], [])  # a key may turn out to be missing
            experiments.append(experiment)
    for path in sorted(SPEED.glob("*.json")):
        with _skipping():
            device = read_result(path, "speed")["machine"]["device"]
            machines.append({"file": path.name, "device": device})
    write_text(REPORTS / "README.md", index(experiments, machines))


def _read(path: Path, kind: str) -> Any:
    return read_result(path, kind) if path.exists() else None


@contextmanager
def _skipping() -> Iterator[None]:
    """Leave out what can't be read, and name it: other experiments are none the worse for it."""
    try:
        yield
    except InputError as error:
        print(f"left out: {one_line(error)}", file=sys.stderr)


if __name__ == "__main__":
    exit_on_error(main)
