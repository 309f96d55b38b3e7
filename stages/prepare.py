"""Decode the selected dataset into the prepared store; draw it first if it is the synthetic one."""

import tempfile
from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.layout import PREPARED, RAW


def main() -> None:
    """Read params.yaml and data/raw/<dataset>, write data/prepared/<dataset>."""
    params = load_params()
    from eacnet.data.prepare import prepare
    from eacnet.scenes import write_dataset

    with tempfile.TemporaryDirectory() as scratch:
        raw = RAW / params.dataset
        if params.dataset == "synthetic":
            raw = Path(scratch)
            synthetic = params.datasets.synthetic
            write_dataset(raw, synthetic.scenes.model_dump(), *synthetic.size, synthetic.seed)
        data = params.data
        prepare(params.dataset, raw, PREPARED / params.dataset, data.splits, data.train)


if __name__ == "__main__":
    exit_on_error(main)
