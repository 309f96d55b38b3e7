"""The items about the data."""

from eacnet.report.pages.checklist.item import NO, NOT_APPLICABLE, PARTLY, TOP, YES, Item
from eacnet.report.pages.page import NAMES, Results
from eacnet.report.tables.table import TIMES, escape

_SOURCES = {
    "synthetic": (
        YES,
        "the scenes are drawn from a seed, so the generator is the dataset; it is under the"
        " project's MIT licence",
        {"generator": "eacnet/scenes", "licence": "LICENSE"},
    ),
    "camvid": (
        PARTLY,
        "`make camvid` fetches it from the public repository and revision named here, and its"
        " content is checked against a checksum; under which licence its owners give the frames"
        " is not recorded in this project",
        {"source": "eacnet/datasets/camvid.py"},
    ),
    "cityscapes": (
        PARTLY,
        "its owners give it to registered users only, so it cannot be linked; the two commands"
        " that fetch it are here",
        {"how to get it": "data/raw/cityscapes/README.md"},
    ),
    "folder": (
        NO,
        "the frames are the user's own; where they can be had, and under which licence, only the"
        " user can say",
        {"layout": "data/raw/folder/README.md"},
    ),
}


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
    met, source, links = _SOURCES[data["dataset"]]
    new = Item(
        "New data: how they were collected is described.",
        NOT_APPLICABLE,
        "no data were collected",
        {},
    )
    if data["dataset"] == "synthetic":
        new = Item(
            new.asked,
            YES,
            "nothing was annotated by hand: scenes and labels are drawn together by a program,"
            " from the seed, sizes and numbers in params.yaml",
            {"generator": f"{TOP}/eacnet/scenes", "parameters": f"{TOP}/params.yaml"},
        )
    elif data["dataset"] == "folder":
        new = Item(new.asked, NO, "only the user who collected the frames can say", {})
    return [
        Item(
            "Statistics are given, such as the number of examples.",
            YES,
            f"{NAMES[data['dataset']]}: {len(data['classes'])} classes, frames of {size} pixels"
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
            met,
            source,
            {text: f"{TOP}/{path}" for text, path in links.items()},
        ),
        new,
    ]
