"""The networks that `eacnet pick` chooses from, and how accurate each is."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from eacnet.errors import InputError
from eacnet.files import checksum
from eacnet.layout import REPORTS, models, reports
from eacnet.models import EACNet, load_model
from eacnet.pretrained.shipped import SHIPPED, pipeline
from eacnet.result_files import read_result


@dataclass(frozen=True)
class Candidate:
    """A model file, and where a report holds the score of just this file, mIoU (%) and split."""

    path: Path
    miou: float | None = None
    split: str | None = None

    @cached_property
    def model(self) -> EACNet:
        """The network with its card."""
        return load_model(self.path)

    @property
    def name(self) -> str:
        """Its network in words."""
        calibration = self.model.calibration_name
        return self.model.backbone_name + ("" if calibration == "none" else f" + {calibration}")


def find_candidates(named: Sequence[Path]) -> list[Candidate]:
    """Return what to choose from, the most accurate first; those without a score last.

    Args:
        named: model files; none: what the pipeline of this folder has trained and scored, of
            several seeds of a network the first with the mean score of all, and the network that
            ships where it is of the same dataset and scored on the same split, or alone.

    Raises:
        InputError: a file is missing or damaged, or they are of several datasets, or scored on
            several splits.
    """
    experiment, _ = (None, "") if named else pipeline()
    scores = _scores(experiment)
    found = [Candidate(path, *scores.get(checksum(path), ())) for path in _existing(named)]
    found = found or _trained(experiment, scores)
    if not named and SHIPPED.is_file():
        sums, ships = {checksum(one.path) for one in found}, checksum(SHIPPED)
        shipped = Candidate(SHIPPED, *scores.get(ships, ()))
        datasets = {one.model.card.dataset for one in found}
        splits = {one.split for one in found if one.split and shipped.split}
        alike = datasets <= {shipped.model.card.dataset} and splits <= {shipped.split}
        if ships not in sums and alike:
            found.append(shipped)
    if not found:
        raise InputError("there is no trained network to pick; name model files with --weights")
    datasets = sorted({one.model.card.dataset for one in found})
    if len(datasets) > 1:
        raise InputError(
            f"scores on {' and '.join(datasets)} do not compare; name files of one dataset"
        )
    splits = sorted({one.split for one in found if one.split})
    if len(splits) > 1:
        raise InputError(
            f"scores on the splits {' and '.join(splits)} do not compare; score all on one of them,"
            " or name files of one by --weights"
        )
    return sorted(found, key=lambda one: -1 if one.miou is None else one.miou, reverse=True)


def _existing(named: Sequence[Path]) -> list[Path]:
    for path in named:
        if not path.is_file():
            raise InputError(f"--weights {path}: there is no such file")
    return list(dict.fromkeys(named))


def _trained(experiment: str | None, scores: dict[str, tuple[float, str]]) -> list[Candidate]:
    """Return the scored networks of an experiment, with the mean over their seeds."""
    if experiment is None:
        return []
    files: dict[str, Path] = {}
    for path in sorted(models(experiment).glob("*.safetensors")):
        files.setdefault(checksum(path), path)  # the main network is a cell, too
    seeds: dict[tuple[str, str], list[Candidate]] = {}
    for weights, path in files.items():
        if weights in scores:
            one = Candidate(path, *scores[weights])
            seeds.setdefault((one.name, one.split), []).append(one)
    return [
        Candidate(same[0].path, sum(one.miou for one in same) / len(same), same[0].split)
        for same in seeds.values()
    ]


def _scores(experiment: str | None) -> dict[str, tuple[float, str]]:
    """Return the mIoU of all scored networks and its split, by the checksum of their weights.

    A report that can't be read is named and left out, unless it is of the experiment.
    """
    found = {}
    for path in sorted(
        [*REPORTS.glob("*/main/evaluation.json"), *REPORTS.glob("*/cells/*/evaluation.json")]
    ):
        try:
            result = read_result(path, "evaluation")
        except InputError as error:
            if experiment and path.is_relative_to(reports(experiment)):
                raise
            print(f"not taken is a score: {error}", file=sys.stderr)
            continue
        weights = result["provenance"].get("weights")
        if weights and result["miou"] is not None:  # of frames whose every pixel is ignored
            found[weights] = result["miou"], result["provenance"]["split"]
    return found
