"""Look a dataset through before training on it.

Reads every frame that the prepare stage would read and says what there is: frames, sizes, classes
with their share of pixels and of images, files that are not taken and why, frames in two splits.
Writes a contact sheet. Splits are those of params.yaml where it stands in this folder and names the
dataset; another project's is ignored. It ends with 1 where `prepare` would refuse the dataset.

    eacnet inspect data/raw/folder
    eacnet inspect ~/CamVid --dataset camvid --sheet camvid.png
"""

import argparse
import re
import sys
from pathlib import Path
from typing import get_args

from eacnet.config.dataset import DatasetParams
from eacnet.config.names import DATASETS, Split
from eacnet.config.params import load_params
from eacnet.errors import InputError, one_line
from eacnet.files import check_file, real, replacing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("folder", type=Path, help="the dataset's folder")
    parser.add_argument(
        "--dataset",
        choices=DATASETS,
        help="whose layout it has; default: the folder's name, or what fits most files",
    )
    parser.add_argument("--reading", help="which labels, where the dataset has several readings")
    parser.add_argument("--sheet", type=Path, default="contact_sheet.png", help="PNG to write")
    parser.add_argument("--frames", type=int, default=8, help="frames on it; default: 8")


def run(arguments: argparse.Namespace) -> None:
    """Print what was found and write the contact sheet.

    Raises:
        InputError: the folder is none, or the pipeline would refuse the dataset.
    """
    root, sheet = arguments.folder, arguments.sheet
    if not root.is_dir():
        raise InputError(f"{root} is no folder")
    if sheet.suffix.lower() != ".png":
        raise InputError(f"--sheet is {sheet}; it must end in .png")
    if real(sheet).is_relative_to(real(root)):
        raise InputError(f"{sheet} would lie in the dataset; name another place by --sheet")
    check_file(sheet)

    from eacnet.data.contact_sheet import contact_sheet, is_sheet, save_sheet

    if sheet.exists() and not is_sheet(sheet):
        raise InputError(f"{sheet} is there, and no contact sheet; name another file by --sheet")
    if arguments.frames < 1:
        raise InputError(f"--frames is {arguments.frames}; it is at least 1")

    from eacnet.data.inspection import inspect, lines
    from eacnet.datasets import find
    from eacnet.datasets.listing import list_frames

    name = arguments.dataset or _guess(root)
    dataset, entry = find(name), _entry(name)
    reading = dataset.reading(arguments.reading or (entry and entry.reading))
    if entry:
        how = entry.splits, entry.train, entry.evaluate, entry.allow_overlap
    else:
        there = list_frames(dataset, root, reading).frames
        # That no labels are taken for the images of train_extra is a choice, not a fault.
        unasked = {*dataset.withheld, *({"train_extra"} if not there.get("train_extra") else ())}
        splits = [split for split in get_args(Split) if split in there.keys() - unasked]
        scored = [split for split in splits if split != "train"]
        how = list(dict.fromkeys(["train", *splits])), ["train"], scored[-1] if scored else None
    found = inspect(dataset, root, reading, *how)
    print(one_line(f"{root}: {dataset.title}, {reading.protocol}") + "\n")
    print("\n".join(lines(found)))
    if any(survey.frames for survey in found.surveys.values()):
        with replacing(sheet) as temporary:
            save_sheet(contact_sheet(found, reading, arguments.frames), temporary)
        print("\n" + one_line(f"{sheet}: images, labels, and both over each other"))
    if found.problems:
        raise InputError(f"{root} can't be prepared as it is: {len(found.problems)} problems")


def _entry(dataset: str) -> DatasetParams | None:
    """Return the dataset's entry in params.yaml, if there is one here that is this pipeline's."""
    path = Path("params.yaml")
    if not path.is_file():
        return None
    # Every project that uses DVC has a file of this name, and it may be none that we can read.
    if not re.search(rb"^datasets\s*:", path.read_bytes(), re.MULTILINE):
        print(
            f"{path} here has no key datasets, so it is another project's: ignored", file=sys.stderr
        )
        return None
    return getattr(load_params(path).datasets, dataset)


def _guess(root: Path) -> str:
    """Return the dataset that the folder is named for, or whose layout fits most of its files."""
    from eacnet.datasets import find
    from eacnet.datasets.listing import list_frames

    if real(root).name in DATASETS:
        return real(root).name
    fitting = {
        name: sum(map(len, list_frames(find(name), root).frames.values()))
        for name in DATASETS
        if not find(name).drawn
    }
    best = max(fitting, key=fitting.get)
    if not fitting[best]:
        raise InputError(
            f"{root} has the layout of no dataset that is known here; name one by --dataset: "
            f"{', '.join(fitting)}"
        )
    return best
