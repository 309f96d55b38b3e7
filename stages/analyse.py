"""Measure what the calibration of the main network attends to on the evaluation split."""

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import write_json
from eacnet.layout import PREPARED, main_run


def main() -> None:
    """Read the weights and the prepared store, write attention.json."""
    params = load_params()
    run = main_run(params)

    from eacnet.data.store import open_store
    from eacnet.evaluation.attention import analyse
    from eacnet.machine import pick_device
    from eacnet.models import load_model

    store = open_store(PREPARED / params.dataset)
    model = run.checked(load_model(run.weights))
    facts = analyse(
        model,
        store.split(params.data.evaluate).images,
        [entry["name"] for entry in store.info["classes"]],
        mean=model.card.mean,
        device=pick_device(params.hardware.accelerator),
    )
    write_json(run.results / "attention.json", facts)


if __name__ == "__main__":
    exit_on_error(main, takes_arguments=False)
