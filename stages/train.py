"""Train one run: the main network, or one cell of the ablation (`--run dab-pooled-1`)."""

import argparse

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.layout import select


def main() -> None:
    """Read params.yaml and the prepared store, write the run's weights, curve and facts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="main")
    name = parser.parse_args().run
    params = load_params()
    run = select(params, name)

    from eacnet.training.run import train_run

    train_run(run, params)


if __name__ == "__main__":
    exit_on_error(main)
