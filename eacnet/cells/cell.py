"""A training of an experiment: where it stands, and how far it has come."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eacnet.files import write_json
from eacnet.layout import CELLS, CHECKPOINTS, TRAINED, Run
from eacnet.training.trained import CURVE


@dataclass(frozen=True)
class Cell:
    """One training, by whatever names the experiment has for it.

    Attributes:
        run: what is trained.
        key: its fingerprint, by which the store of finished trainings has it.
        epochs: how long it trains.
    """

    run: Run
    key: str
    epochs: int

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.run.name

    @property
    def folder(self) -> Path:
        """Where its settings, its log and its unfinished results stand."""
        return (CELLS / self.run.experiment / f"{self.name}-{self.key[:8]}").absolute()

    @property
    def log(self) -> Path:
        """What its training says."""
        return self.folder / "log.txt"

    @property
    def done(self) -> int:
        """Epochs that are trained."""
        if self.finished:
            return self.epochs
        if not (CHECKPOINTS / f"{self.key}.pt").exists():
            return 0
        try:
            curve = self.folder / self.run.results / CURVE
            return max(0, len(curve.read_text(encoding="utf-8").splitlines()) - 1)
        except OSError:
            return 0

    @property
    def finished(self) -> bool:
        """Whether the store of finished trainings has it; `Store.has` sets a damaged one aside."""
        return (TRAINED / self.key).is_dir()

    @property
    def job(self) -> dict[str, Any]:
        """What `note` wrote last: {} before the first job, and where it can't be read."""
        try:
            found = json.loads((self.folder / "job.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        texts = isinstance(found, dict) and all(
            isinstance(found.get(name, ""), str) for name in ("executor", "id", "error")
        )
        return found if texts else {}

    def note(self, **facts: Any) -> None:
        """Write down which job trains it, and why that failed."""
        write_json(self.folder / "job.json", facts)
