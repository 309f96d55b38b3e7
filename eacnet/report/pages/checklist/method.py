"""The items about the method and its code."""

from typing import Any

from eacnet.report.pages.checklist.item import NOT_APPLICABLE, PARTLY, TOP, YES, Item
from eacnet.report.results import Results
from eacnet.report.tables.text import TIMES
from eacnet.report.tables.text import markdown as escape


def algorithms(results: Results) -> list[Item]:
    """Return the items about the model."""
    training = results.training
    costs = [group for group in results.ablation["groups"] if "macs" in group]
    how = "no parameters or multiply-accumulates are in this report's ablation"
    if costs:
        size = f"{costs[0]['macs']['height']} {TIMES} {costs[0]['macs']['width']}"
        how = (
            f"parameters and multiply-accumulates at {size} pixels, those of the attention apart,"
            " are counted for every network of the ablation; latency is measured"
        )
    how += "; how the scores depend on the number of training frames is not examined"
    return [
        Item(
            "The mathematical setting, the algorithm and the model are described.",
            YES,
            f"backbone {training['backbone']}, calibration {training['calibration']}; the code"
            " states shapes, formulas and sources",
            {
                "network": f"{TOP}/eacnet/models/network.py",
                "calibration": f"{TOP}/eacnet/models/attention.py",
                "losses": f"{TOP}/eacnet/training/losses.py",
            },
        ),
        Item(
            "Assumptions are explained.",
            YES,
            "every pixel belongs to one class of a closed set or is ignored; images are RGB of 8"
            " bits like those of the training split, one at a time; the only normalisation is the"
            " training splits' mean colour",
            {"data": f"{TOP}/eacnet/data/prepare.py", "page": "README.md"},
        ),
        Item(
            "Complexity is analysed: time, memory, number of samples.",
            PARTLY,
            how,
            {"ablation": "ablation.json", "latency": "README.md"},
        ),
    ]


def theory() -> list[Item]:
    """Return the items about theoretical claims."""
    how = "this report makes no theoretical claim"
    return [
        Item("Every theoretical claim is stated.", NOT_APPLICABLE, how, {}),
        Item("Every theoretical claim is proved.", NOT_APPLICABLE, how, {}),
    ]


def code(results: Results) -> list[Item]:
    """Return the items about the shared code."""
    source = results.evaluation["provenance"]
    weights = source.get("weights")
    which = f"SHA-256 {weights[:12]}" if weights else "their checksum is not recorded"
    return [
        Item(
            "Dependencies are specified.",
            YES,
            "every package with version and hash; the versions in use stand beside every result",
            {"packages": f"{TOP}/requirements.lock", "evaluation": "main/evaluation.json"},
        ),
        Item(
            "The training code is there.",
            YES,
            f"the network of this page was trained {_at_commit(results.training['code'])}",
            {"stage": f"{TOP}/stages/train.py", "loop": f"{TOP}/eacnet/training/loop.py"},
        ),
        Item(
            "The evaluation code is there.",
            YES,
            f"it was scored {_at_commit(source['code'])}",
            {
                "stage": f"{TOP}/stages/evaluate.py",
                "counting": f"{TOP}/eacnet/evaluation/evaluate.py",
            },
        ),
        Item(
            "Trained models are there.",
            PARTLY,
            f"the pipeline makes the weights ({which}), and DVC keeps them, not Git: whoever has no"
            " access to a DVC remote trains them anew. Which network ships with the package,"
            " `eacnet predict` says",
            {"pipeline": f"{TOP}/dvc.yaml", "evaluation": "main/evaluation.json"},
        ),
        Item(
            "The README has a table of results with the commands that make them.",
            YES,
            "the page ends with the command, and `eacnet verify` rebuilds its figures",
            {"page": "README.md", "project": f"{TOP}/README.md"},
        ),
    ]


def _at_commit(code: dict[str, Any]) -> str:
    commit, modified = code["commit"], code["modified"]
    if not commit:
        return "at an unknown commit"
    if modified:
        return f"at commit {commit[:12]}, but with {', '.join(map(escape, modified))} modified"
    return f"at commit {commit[:12]}"
