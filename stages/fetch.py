"""Fetch a dataset into data/raw, once; `dvc repro` does so where the dataset is selected.

A copy of the project that DVC runs in takes it from the project's own data/raw where it is there.
The environment variable of the dataset's name in capitals names a mirror of its source.
"""

import os
import shutil
import sys

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import replacing_folder
from eacnet.layout import RAW, project


def main() -> None:
    """Check params.yaml, write data/raw/<dataset>."""
    load_params()
    from eacnet.datasets import find

    (name,) = sys.argv[1:]
    dataset = find(name)
    own = project() / RAW / name
    if own.is_dir() and not (RAW / name).exists():
        with replacing_folder(RAW / name, holds=()) as folder:
            shutil.copytree(own, folder)
    dataset.fetch(RAW / name, os.environ.get(name.upper()) or dataset.source)


if __name__ == "__main__":
    exit_on_error(main)
