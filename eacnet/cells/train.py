"""Train one cell with the settings that stand in its folder: `python -m eacnet.cells.train`."""

import sys
from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.layout import select


def main() -> None:
    """Train the run that the second word names; the first one is the folder of its cell."""
    folder, name = Path(sys.argv[1]), sys.argv[2]
    params = load_params(folder / "params.yaml")
    run = select(params, name)

    from eacnet.training.run import train_run

    train_run(run, params, folder)


if __name__ == "__main__":
    exit_on_error(main)
