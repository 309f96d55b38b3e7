"""What DVC recorded of the stages that it ran, as far as a verification reads it."""

from itertools import product
from pathlib import Path

from pydantic import Field, ValidationError
from yaml import YAMLError

from eacnet.config.yaml12 import read_yaml
from eacnet.errors import InputError
from eacnet.result_files import explain
from eacnet.result_files.values import Count, Part, Text


class Out(Part):
    """A file or a folder that a stage made."""

    path: Text
    md5: Text | None = None


class Grid(Part):
    """The parameters that name the cells of an ablation."""

    backbones: tuple[Text, ...] = ()
    calibrations: tuple[Text, ...] = ()
    baselines: tuple[Text, ...] = ()
    seeds: tuple[Count, ...] = ()

    @property
    def cells(self) -> list[tuple[str, str, int]]:
        """(backbone, calibration, seed) of every cell."""
        crossed = product(self.backbones, self.calibrations, self.seeds)
        return [*crossed, *product(self.baselines, ["none"], self.seeds)]


class Parameters(Part):
    """What a stage read of a file of parameters."""

    ablation: Grid = Grid()


class Stage(Part):
    """A stage that was run."""

    outs: tuple[Out, ...] = ()
    params: dict[str, Parameters] = Field(default_factory=dict)


class Lock(Part):
    """dvc.lock."""

    stages: dict[str, Stage]


def read_lock(path: Path) -> list[Stage]:
    """Read the stages of a lock file.

    Raises:
        InputError: it is no such file.
    """
    try:
        return list(Lock.model_validate(read_yaml(path)).stages.values())
    except ValidationError as error:
        why = explain(error)
    except (YAMLError, ValueError) as error:
        why = str(error)
    raise InputError(
        f"{path} is no lock file of DVC's ({why}); `git restore {path}` brings it back"
    )
