"""The datasets, one file each: classes, file layout, protocol, licence, how to get it.

A file of this room defines `DATASET` and, where its entry in params.yaml has keys of its own, the
class `Params` (see eacnet/config/dataset.py). Its name is the dataset's. Nothing else lists them.
"""

from importlib import import_module

from eacnet.config.names import DATASETS
from eacnet.datasets.record import Dataset
from eacnet.errors import InputError


def find(name: str) -> Dataset:
    """Return the dataset that the file `name`.py of this room describes.

    Raises:
        InputError: there is no such file.
    """
    if name not in DATASETS:
        raise InputError(f"there is no dataset {name!r}; known: {', '.join(DATASETS)}")
    return import_module(f"{__name__}.{name}").DATASET
