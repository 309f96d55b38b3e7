"""A report and what belongs to it, by the layout of the project that it stands in."""

import csv
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from eacnet.config.names import DATASETS, dataset_of
from eacnet.config.params import load_params
from eacnet.config.repeat import settings
from eacnet.datasets import find
from eacnet.errors import InputError, NotCheckedError
from eacnet.files import check_is_file, checksum, real
from eacnet.layout import ENVIRONMENT, PREPARED, REPORTS, SPEED, models, results_of
from eacnet.pretrained.shipped import shipped_as
from eacnet.result_files import read_result
from eacnet.verify.lock import Parameters, Stage, read_lock

_SHARED = (SPEED, ENVIRONMENT)


@dataclass(frozen=True)
class Report:
    """A report: reports/<experiment>, where an experiment is a dataset and a recipe's variant."""

    folder: Path

    @property
    def experiment(self) -> str:
        """The experiment."""
        return real(self.folder).name

    @property
    def dataset(self) -> str:
        """The dataset of the experiment."""
        return dataset_of(self.experiment)

    @property
    def variant(self) -> str:
        """Which recipe of the dataset."""
        return self.experiment.removeprefix(self.dataset)

    @property
    def remake(self) -> str:
        """The command that makes the report, with the networks that its files tell of."""
        main, cells = None, self.named_cells
        with suppress(InputError):  # said where the file itself is checked
            main = self.read("main", "training")
        with suppress(InputError):
            cells = self.cells_of(self.ablation) | cells
        return _run(settings(self.dataset, self.variant, main, cells.values()))

    @property
    def project(self) -> Path:
        """The folder of the project, seen from here."""
        return Path(os.path.relpath(real(self.folder).parent.parent))

    @property
    def lock(self) -> Path:
        """What DVC recorded of all files that it made."""
        return self.project / "dvc.lock"

    @property
    def in_pipeline(self) -> bool:
        """Whether DVC looks after the report: one that was handed on alone has no record."""
        return self.lock.is_file() or (self.project / "dvc.yaml").is_file()

    @property
    def prepared(self) -> Path:
        """The prepared store of its data."""
        return self.project / PREPARED / self.dataset

    @property
    def runs(self) -> list[str]:
        """The names of all runs that are there or should be, the main one first."""
        there = {path.name for path in (self.folder / "cells").glob("*") if path.is_dir()}
        with suppress(InputError):  # said where the ablation itself is checked
            there |= set(self.cells_of(self.ablation))
        return ["main", *sorted(there | set(self.named_cells))]

    @property
    def named_cells(self) -> dict[str, tuple[str, str, int]]:
        """The cells that the parameters name, recorded or selected, as `cells_of` returns them."""
        cells = []
        for stage in self._recorded_stages:
            if f"{self._inside}/ablation.json" in [out.path for out in stage.outs]:
                cells += stage.params.get("params.yaml", Parameters()).ablation.cells
        if (self.project / "params.yaml").is_file():
            params = load_params(self.project / "params.yaml")
            if params.experiment == self.experiment:
                cells += params.ablation.cells
        return {"-".join(map(str, cell)): cell for cell in cells}

    @property
    def recorded_files(self) -> dict[str, str | None]:
        """The files and folders of this report that dvc.lock names, with their MD5 there.

        The measured speeds and the environment, which all reports share, are among them where it
        names any other.
        """
        own = {
            name: md5
            for name, md5 in self._recorded_outs.items()
            if name.startswith(f"{self._inside}/") and not self._taken_out(name)
        }
        shared = {path.as_posix(): self._recorded_outs.get(path.as_posix()) for path in _SHARED}
        return own | {name: md5 for name, md5 in shared.items() if own and md5}

    @property
    def recorded_store(self) -> str | None:
        """The MD5 that dvc.lock has of the prepared store, None where it names none."""
        return self._recorded_outs.get((PREPARED / self.dataset).as_posix())

    @property
    def unrecorded_files(self) -> list[str]:
        """The files of this report that dvc.lock names neither alone nor with their folder."""
        found = []
        for path in sorted(self.folder.rglob("*")):
            name = PurePosixPath(self._inside, path.relative_to(self.folder).as_posix())
            hidden = any(part.startswith(".") for part in name.parts)  # half-written, or a system's
            by = map(str, (name, *name.parents))
            if path.is_file() and not hidden and self._recorded_outs.keys().isdisjoint(by):
                found.append(str(name))
        return found

    def _taken_out(self, name: str) -> bool:
        """Whether it is a cell's that was taken out of the grid: DVC keeps the stage's record."""
        folder, _, inner = name.removeprefix(f"{self._inside}/").partition("/")
        cell = inner.partition("/")[0]
        if folder != "cells" or not cell or self.results(cell).exists():
            return False
        try:
            return cell not in {*self.named_cells, *self.cells_of(self.ablation)}
        except InputError:  # what its ablation.json was of is not known
            return False

    @property
    def _recorded_outs(self) -> dict[str, str | None]:
        return {out.path: out.md5 for stage in self._recorded_stages for out in stage.outs}

    @property
    def _inside(self) -> str:
        return (REPORTS / self.experiment).as_posix()

    @cached_property
    def _recorded_stages(self) -> list[Stage]:
        own = self.project.glob("stages/**/dvc.lock")
        return [stage for path in (self.lock, *own) if path.is_file() for stage in read_lock(path)]

    @staticmethod
    def cells_of(ablation: dict[str, Any]) -> dict[str, tuple[str, str, int]]:
        """Return the cells of an ablation.json: name -> (backbone, calibration, seed)."""
        cells = [
            (group["backbone"], group["calibration"], seed)
            for group in ablation["groups"]
            for seed in group["seeds"]
        ]
        return {"-".join(map(str, cell)): cell for cell in cells}

    @property
    def ablation(self) -> dict[str, Any]:
        """Its ablation.json."""
        return read_result(self.folder / "ablation.json", "ablation")

    @property
    def summary(self) -> dict[str, Any]:
        """Its metrics.json."""
        return read_result(self.folder / "metrics.json", "summary")

    def results(self, run: str) -> Path:
        """The folder of a run's scores."""
        return results_of(self.folder, run)

    def evaluation(self, run: str = "main") -> dict[str, Any]:
        """Read a run's evaluation.json."""
        return self.read(run, "evaluation")

    def read(self, run: str, kind: str) -> dict[str, Any]:
        """Read a result file of a run; `kind` is its name without the suffix."""
        return read_result(self.results(run) / f"{kind}.json", kind)

    def class_iou(self, run: str) -> dict[str, float | None]:
        """Read a run's classes.csv: class -> IoU in percent.

        Raises:
            InputError: the file is missing or is no such table.
        """
        path = self.results(run) / "classes.csv"
        check_is_file(path)
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            return {row["class"]: float(row["iou"]) if row["iou"] else None for row in rows}
        except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
            raise InputError(f"{path} is missing or no table of classes ({error})") from None

    def weights(self, run: str) -> Path:
        """Find the weights that a run was scored with.

        Raises:
            InputError: they are not at hand, or what is there are others.
        """
        scored = self.evaluation(run)["provenance"].get("weights")
        own = self.project / models(self.experiment) / f"{run}.safetensors"
        # Older reports don't tell which weights they scored.
        if own.is_file() and scored in (None, checksum(own)):
            return own
        if shipped := shipped_as(scored):
            return shipped
        what = "holds other weights than were scored" if own.is_file() else "is not here"
        raise NotCheckedError(f"{models(self.experiment)} {what}; `{self.remake}` trains them")

    def how_to_prepare(self) -> str:
        """Say which commands make the prepared store."""
        dataset = find(self.dataset) if self.dataset in DATASETS else None
        first = ""
        if dataset and dataset.fetch:
            first = f"`make {self.dataset}`, then "
        elif dataset and not dataset.drawn:
            first = f"{dataset.how_to_get}; then "
        return f"{first}`{_run(settings(self.dataset, self.variant))} prepare` makes it"


def _run(chosen: list[str]) -> str:
    return " ".join(["dvc exp run", *(f"-S {setting}" for setting in chosen)])
