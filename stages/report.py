"""Write the page of the experiment: its texts, tables and figures in reports/<experiment>."""

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.layout import PREPARED, main_run, reports


def main() -> None:
    """Read all results, the weights and the prepared store, write the page and its figures."""
    params = load_params()
    run, data = main_run(params), params.data

    from eacnet.data.store import open_store
    from eacnet.machine import pick_device
    from eacnet.models import load_model
    from eacnet.report.figures.pictures import make_pictures
    from eacnet.report.results import read_results
    from eacnet.report.write import write_report

    store = open_store(PREPARED / params.dataset)
    results = read_results(reports(params.experiment), store.info, data.validate_split)
    scored = results.evaluation["provenance"]
    if (scored["data"], scored["split"]) != (store.checksum, data.evaluate):
        raise InputError(
            f"{run.results} was scored on other data than split {data.evaluate!r} of {store.root};"
            " `dvc repro` scores it anew"
        )
    model = run.checked(load_model(run.weights))
    shown = model, store.split(data.evaluate), results
    device = pick_device(params.hardware.accelerator)
    write_report(results, make_pictures(*shown, params.report.examples, device))


if __name__ == "__main__":
    exit_on_error(main, takes_arguments=False)
