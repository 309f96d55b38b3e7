"""List what there is for every dataset: reports/README.md, from the folders beside it."""

from pathlib import Path
from typing import Any

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import read_json, write_text
from eacnet.layout import REPORTS, SPEED


def main() -> None:
    """Read the results of all experiments, write the list; it is no output of any one of them."""
    load_params()
    from eacnet.report.pages.index import PARTS, Experiment, index

    experiments = []
    for folder in sorted(path for path in REPORTS.iterdir() if path.is_dir()):
        parts = [name for name in PARTS if (folder / name).exists()]
        if not {"main", "ablation.json"} & set(parts):
            continue  # speed, and whatever else lies there
        files = ("main/training.json", "main/evaluation.json", "ablation.json")
        experiments.append(Experiment(folder.name, parts, *(_read(folder / f) for f in files)))
    machines = [
        {"file": path.name, "device": read_json(path)["machine"]["device"]}
        for path in sorted(SPEED.glob("*.json"))
    ]
    write_text(REPORTS / "README.md", index(experiments, machines))


def _read(path: Path) -> Any:
    return read_json(path) if path.exists() else None


if __name__ == "__main__":
    exit_on_error(main)
