"""Results that are of other settings than those of now: cells that may not be put together."""

from typing import Any

from pydantic import ValidationError

from eacnet.config.params import Params
from eacnet.config.recipe import Recipe
from eacnet.errors import InputError
from eacnet.files import checksum
from eacnet.layout import Run, project
from eacnet.result_files import read_result


def check_cell(run: Run, params: Params, data: str) -> None:
    """Refuse a cell that is missing, or that is not of this recipe, data, split and weights.

    Raises:
        InputError: one line that names the cell, what differs, and the stage that makes it anew.
    """
    training = read_result(run.results / "training.json", "training")
    scored = read_result(run.results / "evaluation.json", "scored")["provenance"]
    network = (training["backbone"], training["calibration"], training["seed"])
    init = params.recipe.init
    pretrained = params.model.weights_for(run.backbone) != "none"
    same = {
        "it is of another network": network == (run.backbone, run.calibration, run.seed),
        "it was trained with another recipe": _recipe(training["recipe"]) == params.recipe,
        "it started from other weights": bool(training.get("pretrained")) == pretrained
        and (training.get("init") or {}).get("sha256") == (init and checksum(project() / init)),
        "it was trained on other splits": training["trained_on"]
        == params.trained_on(run.calibration),
        "it was trained on other data": training["data"] == data,
        "it was scored on another split": scored["split"] == params.data.evaluate,
        "it was scored on other data": scored["data"] == data,
        "it was scored with other weights": scored.get("weights") == checksum(run.weights),
    }
    for reason, holds in same.items():
        if not holds:
            raise InputError(
                f"{run.results} is stale: {reason} than there are now;"
                f" `dvc repro {run.stage}` makes it anew"
            )


def _recipe(recorded: dict[str, Any]) -> Recipe | None:
    """Return a recorded recipe; a key that came later has its default."""
    try:
        return Recipe.model_validate(recorded)
    except ValidationError:
        return None
