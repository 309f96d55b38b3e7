"""The items about the data."""

from eacnet.report.pages.checklist.item import NO, NOT_APPLICABLE, PARTLY, TOP, YES, Item
from eacnet.report.results import Results
from eacnet.report.tables.text import TIMES
from eacnet.report.tables.text import markdown as escape

_MET = {"yes": YES, "partly": PARTLY, "no": NO}


def datasets(results: Results) -> list[Item]:
    """Return the items about the data."""
    data, trained_on = results.data, results.training["trained_on"]
    frames = ", ".join(f"{name} {split['frames']:,}" for name, split in data["splits"].items())
    size = f"{data['size'][0]} {TIMES} {data['size'][1]}"
    splits = f"trained on {' and '.join(trained_on) or 'none'}, scored on {results.split}"
    if results.validated_on:
        splits += f", watched on {results.validated_on} for the training curve alone"
    split_met = YES
    if results.split in trained_on:
        split_met, splits = PARTLY, f"{splits}; the scored frames were seen in training"
    elif results.validated_on in trained_on:
        splits += ", which was trained on, too"
    about = results.about
    return [
        Item(
            "Statistics are given, such as the number of examples.",
            YES,
            f"{about.title}: {len(data['classes'])} classes, frames of {size} pixels"
            f" ({frames}); the page gives each class's share of the scored pixels",
            {"page": "README.md"},
        ),
        Item(
            "The splits for training, validation and test are given.",
            split_met,
            f"{splits}; the SHA-256 of the data stands beside every result",
            {"training": "main/training.json", "evaluation": "main/evaluation.json"},
        ),
        Item(
            "Excluded data and all pre-processing are explained.",
            YES,
            f"no frame is left out; {escape(data['protocol'])}; pixels that are ignored are neither"
            " trained nor scored; augmentation is drawn from the seed",
            {
                "preparation": f"{TOP}/eacnet/data/prepare.py",
                "augmentation": f"{TOP}/eacnet/data/samples.py",
            },
        ),
        Item(
            "The dataset, or the environment that simulates it, can be downloaded.",
            _MET[about.available],
            about.access,
            {text: f"{TOP}/{path}" for text, path in about.links.items()},
        ),
        _new(about.collected, about.available),
    ]


def _new(collected: str, available: str) -> Item:
    asked = "New data: how they were collected is described."
    if not collected:
        return Item(asked, NOT_APPLICABLE, "no data were collected", {})
    if available != "yes":
        return Item(asked, NO, collected, {})
    shown = {"generator": f"{TOP}/eacnet/scenes", "parameters": f"{TOP}/params.yaml"}
    return Item(asked, YES, collected, shown)
