"""Decode the selected dataset into the prepared store, checked and counted."""

from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.layout import PREPARED, project


def main() -> None:
    """Read params.yaml and data/raw/<dataset>, write data/prepared/<dataset>."""
    params = load_params()
    from eacnet.data.prepare import prepare

    data, name = params.data, params.dataset
    raw = Path(params.raw) / name
    if project() != Path() and not any(path.is_dir() for path in raw.glob("*")):
        raise InputError(
            f"{raw} holds no frames in the copy of the project that DVC runs this in; say where"
            " they are by an absolute path: -S raw=$PWD/data/raw"
        )
    prepare(
        name,
        raw,
        PREPARED / name,
        data.splits,
        data.train,
        data.evaluate,
        data.reading,
        data.allow_overlap,
    )


if __name__ == "__main__":
    exit_on_error(main)
