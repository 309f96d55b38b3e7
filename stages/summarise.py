"""Put the cells of the ablation together: mean and spread over seeds, gain from calibration."""

<<<<<<< HEAD
from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import write_json
from eacnet.layout import PREPARED, cells, reports
=======
from typing import Any

from pydantic import ValidationError

from eacnet.config.params import Params, load_params
from eacnet.config.recipe import Recipe
from eacnet.errors import InputError, exit_on_error
from eacnet.files import checksum, write_json
from eacnet.layout import PREPARED, Run, cells, project, reports
from eacnet.result_files import read_result
>>>>>>> claim


def main() -> None:
    """Read the counts of exactly the cells that params.yaml names, write their summary."""
    params = load_params()
    runs = cells(params)
    from eacnet.data.store import open_store
    from eacnet.evaluation.ablation import headline, summarise
    from eacnet.evaluation.bootstrap import LEVEL, RESAMPLES, SEED
    from eacnet.evaluation.counts import Counts
    from eacnet.evaluation.stale import check_cell
    from eacnet.models import build_model
    from eacnet.models.complexity import complexity

    store = open_store(PREPARED / params.dataset)
    for run in runs:
        check_cell(run, params, store.checksum)
    counts = {
        (run.backbone, run.calibration, run.seed): Counts.load(run.results / "counts.json")
        for run in runs
    }
    height, width = store.typical_size
    groups = []
    for group in summarise(counts, [entry["name"] for entry in store.info["classes"]]):
        network = build_model(group["backbone"], store.num_classes, group["calibration"])
        cost = complexity(network, height, width)
        macs = {"total": cost.macs, "attention": cost.attention_macs}
        macs = {"height": height, "width": width, **macs}
        groups.append({**group, "parameters": cost.parameters, "macs": macs})
    folder = reports(params.experiment)
    summary = {
        "split": params.data.evaluate,
        "frames": len(next(iter(counts.values()))),
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "level": LEVEL},
        "groups": groups,
    }
    write_json(folder / "ablation.json", summary)
    write_json(folder / "metrics.json", {"ablation": headline(groups)})


<<<<<<< HEAD
=======
def _check(run: Run, params: Params, data: str) -> None:
    """Refuse a cell that is missing, or that is not of this recipe, data, split and weights."""
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


>>>>>>> claim
if __name__ == "__main__":
    exit_on_error(main)
