"""Train all networks of the experiment that are not trained yet, several at once.

These are the main network, the cells of the ablation and the baselines that params.yaml names. On
one machine (--executor local) each training has GPUs of its own, or its share of the cores. On a
cluster (--executor slurm) each is a job, with what `cluster` in params.yaml asks for. What is
trained lies in the store of finished trainings: `dvc repro` then records it and trains nothing.

Stopped at any moment, the same command goes on from each training's last epoch. SLURM's jobs go on
by themselves; the same command, or --status, shows them again.
"""

import argparse

from eacnet.config.params import load_params


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    executors = ("local", "slurm")
    add("--executor", choices=executors, default="local", help="where (default: this machine)")
    add("--jobs", type=_positive, metavar="N", help="trainings at once (default: all that fit)")
    add("--status", action="store_true", help="show how far each training is, and start none")


def run(arguments: argparse.Namespace) -> None:
    """Train what is missing, or say how far it is.

    Raises:
        InputError: data are missing, there is no room or no cluster, or a training failed.
    """
    params = load_params()

    from eacnet.cells.run import status, train_all

    if arguments.status:
        print(status(params))
        return
    count = train_all(params, arguments.executor, arguments.jobs)
    print(f"all {count} networks of {params.experiment} are trained; `dvc repro` records them")


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of trainings")
    return int(text)
