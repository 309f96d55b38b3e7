"""The items about the results and how they were come by."""

from typing import Any

from eacnet.report.pages.checklist.item import PARTLY, TOP, YES, Item
from eacnet.report.results import Results
from eacnet.report.tables.text import markdown as escape

# Recipes that params.yaml takes over from a publication.
_PUBLISHED = {
    "camvid": "DABNet's published CamVid recipe",
    "camvid_cpu": "DABNet's published CamVid recipe",
    "camvid_cpu_long": "DABNet's published CamVid recipe",
    "cityscapes": "EACNet's published recipe (a)",
    "cityscapes_adam": "EACNet's published recipe (b)",
}


def outcome(results: Results) -> list[Item]:
    """Return the items about the reported results."""
    training, source = results.training, results.evaluation["provenance"]
    groups = results.ablation["groups"]
    cells = sum(len(group["seeds"]) for group in groups)
    seeds = sorted({len(group["seeds"]) for group in groups})
    number = " or ".join(map(str, seeds))
    published = _PUBLISHED.get(results.data["dataset"] + results.variant)
    chosen = "the recipe is this project's own, and how its values were arrived at is not recorded"
    if not training["trained_on"]:
        chosen = (
            "the weights are those of a file, and how they were arrived at is not recorded here"
        )
    elif published:
        chosen = (
            f"they start from {published}, and where this run departs from it, its values show it"
        )
    return [
        Item(
            "Hyper-parameters: the range considered, how they were chosen, all values used.",
            PARTLY,
            f"all values are recorded; {chosen}. No search is part of the pipeline, and the weights"
            " are the last epoch's, so nothing was chosen on the scored split by it; what people"
            " tried out before is not recorded",
            {"values": "main/training.json", "parameters": f"{TOP}/params.yaml"},
        ),
        Item(
            "The exact number of training and evaluation runs.",
            YES,
            f"1 main network and {cells} of the ablation ({number}"
            f" seed{'' if seeds == [1] else 's'} each), each trained once and scored once; runs"
            " that are not part of the report are not counted",
            {"ablation": "ablation.json", "page": "README.md"},
        ),
        Item(
            "The measures are defined.",
            YES,
            "mIoU over every class in truth or prediction, bands around edges, boundary F1, each"
            " with its source",
            {
                "scores": f"{TOP}/eacnet/evaluation/scores.py",
                "boundaries": f"{TOP}/eacnet/evaluation/boundary.py",
            },
        ),
        Item(
            "Central tendency and variation of the results.",
            YES if seeds and seeds[0] > 1 else PARTLY,
            _variation(results.ablation, seeds),
            {"ablation": "ablation.json"},
        ),
        Item(
            "The average time of a run, or its energy.",
            PARTLY,
            "how long the trainings took is not recorded (result files hold no time of day, so that"
            " the same inputs give the same bytes), and energy was not measured; latency for each"
            f" image is measured on {_devices(results)}",
            {"latency": "README.md"},
        ),
        Item(
            "The computing infrastructure is described.",
            YES,
            f"trained on {escape(training['device'])} (processes: {training['processes']}, threads:"
            f" {training['threads']}), scored on {escape(source['device'])} (threads:"
            f" {source['threads']}); PyTorch {source['versions']['torch']}",
            {
                "training": "main/training.json",
                "evaluation": "main/evaluation.json",
                "this machine": "../environment.json",
            },
        ),
    ]


def _variation(ablation: dict[str, Any], seeds: list[int]) -> str:
    images = "bootstrap" in ablation
    parts = []
    if seeds[-1] > 1:
        parts.append("mean and standard deviation over the seeds")
    if seeds[0] == 1:
        parts.append("for a network with one seed there is no variation over trainings")
    if images:
        how = ablation["bootstrap"]
        parts.append(
            f"gains have {100 * how['level']:g} % intervals: a paired bootstrap over the images"
            f" ({how['resamples']:,} resamples) and, with several seeds, Student's t over seeds"
        )
    return "; ".join(parts)


def _devices(results: Results) -> str:
    names = dict.fromkeys(escape(one["machine"]["device"]) for one in results.speed)
    return ", ".join(names) or "no device"
