"""Write down the machine. Runs at every `dvc repro`: on another machine, speed is measured anew."""

from eacnet.errors import exit_on_error
from eacnet.files import write_json
from eacnet.params import load_params
from eacnet.runtime.environment import machine
from stages.layout import ENVIRONMENT


def main() -> None:
    """Check params.yaml, write reports/environment.json."""
    load_params()
    write_json(ENVIRONMENT, machine())


if __name__ == "__main__":
    exit_on_error(main)
