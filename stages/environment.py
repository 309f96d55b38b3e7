"""Write down what no file of the pipeline says: the machine, and the file a training starts from.

Runs at every `dvc repro`: on another machine, speed is measured anew; from another file of
`recipes.*.init`, all is trained anew, whatever made the file.
"""

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.files import checksum, write_json
from eacnet.layout import ENVIRONMENT, cells, main_run, project, start_of
from eacnet.machine import machine


def main() -> None:
    """Check params.yaml, write reports/environment.json and models/<experiment>/start.json."""
    params = load_params()
    write_json(ENVIRONMENT, machine())
    init = params.recipe.init
    if init and not (project() / init).is_file():
        raise InputError(
            f"recipes.{params.experiment}.init is {init!r}, which is missing; train it first, or"
            " name a model file that is there"
        )
    if init:
        from eacnet.pretrained.fit import check_start

        check_start(project() / init, [main_run(params), *cells(params)])
    write_json(start_of(params.experiment), {"sha256": init and checksum(project() / init)})


if __name__ == "__main__":
    exit_on_error(main, takes_arguments=False)
