"""Write down the machine. Runs at every `dvc repro`: on another machine, speed is measured anew."""

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import write_json
from eacnet.layout import ENVIRONMENT
from eacnet.machine import machine


def main() -> None:
    """Check params.yaml, write reports/environment.json."""
    load_params()
    write_json(ENVIRONMENT, machine())


if __name__ == "__main__":
    exit_on_error(main)
