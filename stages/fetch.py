"""Fetch a dataset into data/raw, once; `dvc repro` does so where the dataset is selected.

The environment variable of the dataset's name in capitals names a mirror of its source.
"""

import os
import sys

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.layout import RAW


def main() -> None:
    """Check params.yaml, write data/raw/<dataset>."""
    load_params()
    from eacnet.datasets import find

    (name,) = sys.argv[1:]
    dataset = find(name)
    dataset.fetch(RAW / name, os.environ.get(name.upper()) or dataset.source)


if __name__ == "__main__":
    exit_on_error(main)
