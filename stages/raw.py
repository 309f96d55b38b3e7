"""Have the selected dataset: draw it, fetch it, or say how to get it.

`python -m stages.raw NAME` does so for another one. The environment variable of the dataset's name
in capitals names a mirror of its source.
"""

import argparse
import os
import shutil
from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.files import replacing_folder
from eacnet.layout import project

DRAWN = (
    "leftImg8bit/*/synthetic/synthetic_*_leftImg8bit.png",
    "gtFine/*/synthetic/synthetic_*_gtFine_*.png",
)


def main() -> None:
    """Read params.yaml, see to it that <raw>/<dataset> is there."""
    params, parser = load_params(), argparse.ArgumentParser("python -m stages.raw", None, __doc__)
    parser.add_argument("dataset", nargs="?", default=params.dataset)
    from eacnet.datasets import find
    from eacnet.datasets.listing import check_regular

    name = parser.parse_args().dataset
    dataset, folder = find(name), Path(params.raw) / name
    entry = getattr(params.datasets, name)
    dataset.reading(entry and entry.reading)
    ours = project() / folder
    if dataset.drawn:
        if entry is None:
            raise InputError(f"params.yaml has no datasets.{name}; add it")
        from eacnet.scenes import write_dataset

        with replacing_folder(folder, DRAWN) as temporary:
            write_dataset(temporary, entry.scenes.model_dump(), *entry.size, entry.seed)
        return
    if ours.is_dir() and not folder.exists():
        # DVC runs queued experiments in copies of the project, which raw data are not part of.
        with replacing_folder(folder, holds=()) as temporary:
            shutil.copytree(ours, temporary, copy_function=_link)
    if dataset.fetch:
        dataset.fetch(folder, os.environ.get(name.upper()) or dataset.source)
    elif not folder.is_dir():
        raise InputError(f"no dataset at {folder}; {dataset.how_to_get}")
    check_regular(folder)


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)  # a relative link would lead nowhere
    except OSError:  # another disk, or one without links
        shutil.copy2(source, target)


if __name__ == "__main__":
    exit_on_error(main)
