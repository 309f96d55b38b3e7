"""Fetch CamVid into data/raw/camvid, once; `dvc repro` does so where the dataset is selected.

The environment variable CAMVID names a mirror of its repository, by address or path.
"""

import os

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.layout import RAW


def main() -> None:
    """Check params.yaml, write data/raw/camvid."""
    load_params()
    from eacnet.datasets.camvid_source import SOURCE, fetch

    fetch(RAW / "camvid", os.environ.get("CAMVID") or SOURCE)


if __name__ == "__main__":
    exit_on_error(main)
