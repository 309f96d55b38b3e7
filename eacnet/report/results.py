"""All that the result files of one experiment hold, read once, for tables, figures and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from eacnet.config.names import DATASETS, dataset_of
from eacnet.datasets import find
from eacnet.datasets.record import Dataset
from eacnet.errors import InputError
from eacnet.files import check_is_file
from eacnet.layout import PUBLISHED, results_of
from eacnet.result_files import read_result

if TYPE_CHECKING:
    from eacnet.evaluation.counts import Counts

Network = tuple[str, str]  # backbone and calibration
CURVE = ["epoch", "loss", "lr", "val_miou"]
STATED = {"method", "dataset", "split", "miou_percent", "fps", "device", "source"}
STATED |= {"input_height", "input_width", "params_millions", "pretraining"}
# A result file that is valid JSON but lacks what it should hold shows as one of these.
MALFORMED = (LookupError, TypeError, AttributeError, ValueError)


class Run(NamedTuple):
    """One trained network: training.json, the provenance of its scores, and its curve."""

    training: dict[str, Any]
    scored: dict[str, Any]
    history: pd.DataFrame


@dataclass(frozen=True)
class Results:
    """What the result files of an experiment hold.

    Attributes:
        folder: of the experiment; its name is that of the dataset and the variant of its recipe.
        data: dataset.json of the prepared store; without one, what the result files tell of it:
            "dataset" and, where networks of the ablation were counted, "size".
        validated_on: name of the split behind the training curves, None if unknown.
        main: the main network.
        evaluation: its evaluation.json.
        attention: its attention.json, None where there is none.
        ablation: ablation.json.
        runs: the runs of each (backbone, calibration) of the ablation, one for each seed.
        speed: the files of reports/speed, one of each device.
        steps: every timing of a step of training in any of them, with the device in it.
        published: figures of other methods, as `read_published` returns them.
    """

    folder: Path
    data: dict[str, Any]
    validated_on: str | None
    main: Run
    evaluation: dict[str, Any]
    attention: dict[str, Any] | None
    ablation: dict[str, Any]
    runs: dict[Network, list[Run]]
    speed: Sequence[dict[str, Any]]
    steps: Sequence[dict[str, Any]]
    published: Sequence[dict[str, str]]

    @property
    def about(self) -> Dataset:
        """What is told of the dataset; of one that is not known here, its name alone."""
        name = self.data["dataset"]
        return find(name) if name in DATASETS else Dataset(name, "", "", {})

    @property
    def training(self) -> dict[str, Any]:
        """training.json of the main network."""
        return self.main.training

    @property
    def network(self) -> Network:
        """Backbone and calibration of the main network."""
        return self.training["backbone"], self.training["calibration"]

    @property
    def split(self) -> str:
        """Name of the split that was scored."""
        return self.evaluation["provenance"]["split"]

    @property
    def size(self) -> list[int]:
        """Height and width in pixels of the scored frames; empty if unknown or not of one size."""
        return self.data.get("size") or []

    @property
    def variant(self) -> str:
        """Which recipe of the dataset."""
        return self.folder.name.removeprefix(self.data["dataset"])

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The networks of the ablation, each with the scores over its seeds."""
        return self.ablation["groups"]

    @property
    def timed(self) -> list[dict[str, Any]]:
        """Every timing of every machine, with the device and the number of classes in it."""
        return [
            {"device": one["machine"]["device"], "classes": one["classes"], **row}
            for one in self.speed
            for row in one["rows"]
        ]

    @cached_property
    def counts(self) -> "Counts":
        """What was counted in each frame for the main network."""
        from eacnet.evaluation.counts import Counts

        return Counts.load(results_of(self.folder, "main") / "counts.json")


def read_results(
    folder: Path | str, data: dict[str, Any] | None = None, validated_on: str | None = None
) -> Results:
    """Read every result file of an experiment; of the machines, those that can be read.

    Args:
        folder: reports/<experiment>. Speed and published figures are found from there.
        data: dataset.json of the prepared store, where there is one.
        validated_on: name of the split behind the training curves.

    Raises:
        InputError: a result file is missing, damaged, or lacks what it should hold.
    """
    folder = Path(folder).resolve()
    main = results_of(folder, "main")
    attention = main / "attention.json"
    try:
        ablation = read_result(folder / "ablation.json", "ablation")
        speed = read_speed(folder.parent / "speed")[0].values()
        return Results(
            folder=folder,
            data=data or _data(folder.name, ablation),
            validated_on=validated_on,
            main=_run(main),
            evaluation=read_result(main / "evaluation.json", "evaluation"),
            attention=read_result(attention, "attention") if attention.exists() else None,
            ablation=ablation,
            runs={
                (group["backbone"], group["calibration"]): [
                    _run(results_of(folder, f"{group['backbone']}-{group['calibration']}-{seed}"))
                    for seed in group["seeds"]
                ]
                for group in ablation["groups"]
            },
            speed=_one_of_each_device(speed),
            steps=[
                {"device": one["machine"]["device"], **row}
                for one in speed
                for row in one.get("training", ())
            ],
            published=read_published(folder.parents[1] / PUBLISHED),
        )
    except MALFORMED as error:
        raise InputError(
            f"{folder}: a result file lacks what it should hold ({error!r}); `dvc repro` remakes it"
        ) from None


def read_speed(folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Read reports/speed: file name -> its content, and a line on each file that can't be read."""
    found, unreadable = {}, []
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.name] = read_result(path, "speed")
        except InputError as error:
            unreadable.append(f"{path.name}: {error}")
    return found, unreadable


def read_history(path: Path) -> pd.DataFrame:
    """Read training.csv: epoch, loss, lr, and val_miou in percent, NaN where not validated.

    It holds no epoch where a network was scored as its file had it.

    Raises:
        InputError: the file is missing or holds anything else.
    """
    try:
        check_is_file(path)
        history = pd.read_csv(path)
        if list(history) != CURVE:
            raise ValueError(f"columns {list(history)}")
        if history[CURVE[:3]].isna().any(axis=None):
            raise ValueError("a figure is missing")
        history = history.astype(float)
        if np.isinf(history).any(axis=None):
            raise ValueError("a figure is infinite")
        return history
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `dvc repro` makes it") from None
    except ValueError as error:
        raise InputError(
            f"{path} is no training curve ({error}); `dvc repro -f` remakes it"
        ) from None


def read_published(path: Path) -> list[dict[str, str]]:
    """Read data/published.csv, every value as the text that it is; nothing where it is missing.

    Raises:
        InputError: it is no file, a column is missing, or a figure is none.
    """
    if not path.exists():
        return []
    check_is_file(path)
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        if lacking := STATED - set(rows):
            raise ValueError(f"missing column {', '.join(sorted(lacking))}")
        rows[["miou_percent", "fps", "params_millions"]].replace("", "nan").astype(float)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    return rows.to_dict("records")


def _run(folder: Path) -> Run:
    evaluation = read_result(folder / "evaluation.json", "evaluation")
    training = read_result(folder / "training.json", "training")
    history = read_history(folder / "training.csv")
    return Run(training, evaluation["provenance"], history)


def _data(experiment: str, ablation: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of the data without its prepared store."""
    counted = [group["macs"] for group in ablation["groups"] if group.get("macs")]
    size = {"size": [counted[0]["height"], counted[0]["width"]]} if counted else {}
    return {"dataset": dataset_of(experiment), **size}


def _one_of_each_device(machines: Any) -> list[dict[str, Any]]:
    """Return one result of each device: the plan that timed the most."""
    chosen: dict[str, dict[str, Any]] = {}
    for machine in machines:
        other = chosen.setdefault(machine["machine"]["device"], machine)
        if len(machine["rows"]) > len(other["rows"]):
            chosen[machine["machine"]["device"]] = machine
    return list(chosen.values())
