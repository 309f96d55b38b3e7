"""A report and what belongs to it, by the layout of the project that it stands in."""

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eacnet.config.names import DATASETS
from eacnet.datasets import find
from eacnet.errors import InputError
from eacnet.files import checksum, read_json
from eacnet.pretrained.shipped import SHIPPED


@dataclass(frozen=True)
class Report:
    """A report: reports/<experiment>, where an experiment is a dataset and a recipe's variant."""

    folder: Path

    @property
    def experiment(self) -> str:
        """The experiment."""
        return self.folder.resolve().name

    @property
    def dataset(self) -> str:
        """The dataset of the experiment."""
        fitting = [name for name in DATASETS if self.experiment.startswith(name)]
        return max(fitting, key=len, default=self.experiment)

    @property
    def select(self) -> str:
        """What selects the experiment on the command line of `dvc exp run`."""
        variant = self.experiment.removeprefix(self.dataset)
        return f"-S dataset={self.dataset}" + (f" -S variant={variant}" if variant else "")

    @property
    def project(self) -> Path:
        """The folder of the project, seen from here."""
        return Path(os.path.relpath(self.folder.resolve().parent.parent))

    @property
    def prepared(self) -> Path:
        """The prepared store of its data."""
        return self.project / "data/prepared" / self.dataset

    @property
    def runs(self) -> list[str]:
        """The names of all runs that have scores, the main one first."""
        cells = sorted((self.folder / "cells").glob("*/evaluation.json"))
        return ["main", *(path.parent.name for path in cells)]

    def results(self, run: str) -> Path:
        """The folder of a run's scores."""
        return self.folder / run if run == "main" else self.folder / "cells" / run

    def evaluation(self, run: str = "main") -> dict[str, Any]:
        """Read a run's evaluation.json."""
        return read_json(self.results(run) / "evaluation.json")

    def class_iou(self, run: str) -> dict[str, float | None]:
        """Read a run's classes.csv: class -> IoU in percent.

        Raises:
            InputError: the file is missing or is no such table.
        """
        path = self.results(run) / "classes.csv"
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            return {row["class"]: float(row["iou"]) if row["iou"] else None for row in rows}
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f"{path} is missing or no table of classes ({error})") from None

    def weights(self, run: str) -> Path:
        """Find the weights that a run was scored with.

        Raises:
            InputError: they are not at hand, or what is there are others.
        """
        scored = self.evaluation(run)["provenance"].get("weights")
        own = self.project / "models" / self.experiment / f"{run}.safetensors"
        # Older reports don't tell which weights they scored.
        if own.is_file() and scored in (None, checksum(own)):
            return own
        if scored and SHIPPED.is_file() and scored == checksum(SHIPPED):
            return SHIPPED
        what = "holds other weights than were scored" if own.is_file() else "is not here"
        raise InputError(
            f"models/{self.experiment} {what}; `dvc exp run {self.select}` trains them"
        )

    def how_to_prepare(self) -> str:
        """Say which commands make the prepared store."""
        dataset = find(self.dataset) if self.dataset in DATASETS else None
        first = ""
        if dataset and dataset.fetch:
            first = f"`make {self.dataset}`, then "
        elif dataset and not dataset.drawn:
            first = f"{dataset.how_to_get}; then "
        return f"{first}`dvc exp run {self.select} prepare` makes it"
