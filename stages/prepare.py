"""Decode the selected dataset into the prepared store, checked and counted."""

from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.layout import PREPARED


def main() -> None:
    """Read params.yaml and data/raw/<dataset>, write data/prepared/<dataset>."""
    params = load_params()
    from eacnet.data.prepare import prepare

    data, name = params.data, params.dataset
    prepare(
        name,
        Path(params.raw) / name,
        PREPARED / name,
        data.splits,
        data.train,
        data.evaluate,
        data.reading,
        data.allow_overlap,
    )


if __name__ == "__main__":
    exit_on_error(main, takes_arguments=False)
