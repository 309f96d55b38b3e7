"""Decode the selected dataset into the prepared store; draw it first where it is drawn."""

import tempfile
from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.layout import PREPARED, RAW


def main() -> None:
    """Read params.yaml and data/raw/<dataset>, write data/prepared/<dataset>."""
    params = load_params()
    from eacnet.data.prepare import prepare
    from eacnet.datasets import find
    from eacnet.scenes import write_dataset

    dataset, data = params.dataset, params.data
    with tempfile.TemporaryDirectory() as scratch:
        raw = RAW / dataset
        if find(dataset).drawn:
            raw = Path(scratch)
            write_dataset(raw, data.scenes.model_dump(), *data.size, data.seed)
        prepare(
            dataset,
            raw,
            PREPARED / dataset,
            data.splits,
            data.train,
            data.evaluate,
            data.reading,
            data.allow_overlap,
        )


if __name__ == "__main__":
    exit_on_error(main)
