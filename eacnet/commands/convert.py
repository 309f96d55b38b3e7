"""Turn a published .pth checkpoint into a model file of this project.

The network is recognised by the names of its parameters: EACNet on any of its backbones, DABNet,
ERFNet with its decoder or without, ENet, PIDNet-S, DDRNet-23-slim, BiSeNetV2, Fast-SCNN, CGNet.
Nothing in the checkpoint is run. A model file also says which classes it predicts and which mean is
subtracted from images, which a checkpoint does not; those of the last five are known:

    eacnet convert authors.pth model.safetensors --store data/prepared/cityscapes
    eacnet convert authors.pth model.safetensors --dataset camvid --mean 100 103 106
    eacnet convert authors.pth model.safetensors --classes classes.csv --mean 73.2 82.9 72.4
"""

import argparse
from pathlib import Path
from typing import Any

from eacnet.config.names import DATASETS
from eacnet.datasets import find
from eacnet.datasets.labels import described
from eacnet.datasets.table import read_table
from eacnet.errors import InputError, one_line
from eacnet.files import check_file

# Those whose classes are fixed; a drawn one has the classes of what it is drawn after.
KNOWN = [name for name in DATASETS if find(name).classes and not find(name).drawn]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("checkpoint", type=Path, help="the published .pth file")
    parser.add_argument("model", type=Path, help="the safetensors file to write")
    parser.add_argument(
        "--calibration",
        choices=("full", "pooled"),
        help="where the names do not tell, as on all backbones but dab; default: pooled",
    )
    classes = parser.add_mutually_exclusive_group()
    classes.add_argument(
        "--dataset",
        choices=KNOWN,
        help="whose classes it predicts; default: by their number",
    )
    classes.add_argument("--classes", type=Path, help="a class table as in data/raw/README.md")
    classes.add_argument(
        "--store", type=Path, help="a prepared store to take the classes and the mean from"
    )
    parser.add_argument(
        "--mean",
        type=float,
        nargs=3,
        metavar=("R", "G", "B"),
        help="RGB mean of the training images, 0 to 255; default: as published, where that was a"
        " fixed one, or the store's",
    )


def run(arguments: argparse.Namespace) -> None:
    """Convert and say in one line what was recognised and where it went.

    Raises:
        InputError: the checkpoint is missing, damaged, hostile or of another network; classes or
            mean are unknown or do not fit it.
    """
    source, target = arguments.checkpoint, arguments.model
    card = _card(arguments)
    if target.suffix != ".safetensors":
        raise InputError(f"{target} must end in .safetensors: that is what is written")
    check_file(target)

    from eacnet.models import save_model
    from eacnet.pretrained.published import read_published

    model, published, dropped = read_published(source, arguments.calibration)
    # What a network was published with goes before a store's, unless it is the training set's.
    own = published.own_mean and card["mean"]
    mean = arguments.mean or own or published.mean or card["mean"]
    if mean is None:
        raise InputError(
            "the RGB mean that the network subtracts is unknown: a checkpoint does not hold it; "
            "give --mean R G B, or --store data/prepared/<dataset> to take the dataset's own"
        )
    if card["classes"] is None:
        card |= _by_count(model.num_classes, source)
    if len(card["classes"]) != model.num_classes:
        raise InputError(
            f"{source} predicts {model.num_classes} classes, but {card['from']} has "
            f"{len(card['classes'])}; name the table it was trained with by --classes or --store"
        )
    save_model(
        model,
        target,
        classes=card["classes"],
        mean=list(mean),
        std=list(published.std),
        dataset=card["dataset"],
        align_corners=published.align_corners,
    )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    known = [f"{parameters:,} parameters", f"RGB mean {' '.join(f'{v:g}' for v in mean)}"]
    if dropped:
        known.append(f"without {' and '.join(dropped)}, which only training needs")
    if published.align_corners:
        known.append("published with upsampling align_corners=True, here False")
    said = (
        f"{source}: backbone {model.backbone_name}, calibration {model.calibration_name}, "
        f"{model.num_classes} classes of {card['from']}, {', '.join(known)} -> {target}"
    )
    print(one_line(said))


def _card(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return classes (None: by their number), mean, dataset and where the classes are `from`."""
    mean = arguments.mean
    if mean and not all(0 <= value <= 255 for value in mean):
        raise InputError(f"--mean is {' '.join(f'{v:g}' for v in mean)}; it lies within 0 to 255")
    if arguments.store:
        from eacnet.data.store import open_store

        store = open_store(arguments.store)
        try:
            info = {name: store.info[name] for name in ("classes", "mean", "dataset")}
        except (KeyError, TypeError):
            raise InputError(
                f"{arguments.store}/dataset.json describes no prepared store; "
                "run `dvc repro prepare`"
            ) from None
        return {**info, "mean": mean or info["mean"], "from": str(arguments.store)}
    if arguments.classes:
        classes = described(read_table(arguments.classes))
        return {"classes": classes, "mean": mean, "dataset": "", "from": str(arguments.classes)}
    if arguments.dataset:
        return {"mean": mean, **_table(arguments.dataset)}
    return {"classes": None, "mean": mean}


def _table(dataset: str) -> dict[str, Any]:
    return {"classes": find(dataset).classes, "dataset": dataset, "from": dataset}


def _by_count(num_classes: int, source: Path) -> dict[str, Any]:
    tables = [_table(name) for name in KNOWN if len(find(name).classes) == num_classes]
    if not tables:
        raise InputError(
            f"{source} predicts {num_classes} classes, which is no known dataset's number; "
            "name them by --classes classes.csv or --store data/prepared/<dataset>"
        )
    if any(table["classes"] != tables[0]["classes"] for table in tables):
        raise InputError(
            f"{source} predicts {num_classes} classes, as {' and '.join(t['from'] for t in tables)}"
            " have; name one by --dataset"
        )
    return tables[0]
