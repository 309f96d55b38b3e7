"""The trainings of an experiment, and which of them are still to be done."""

from eacnet.cells.cell import Cell
from eacnet.config.params import Params
from eacnet.data.store import open_store
from eacnet.layout import PREPARED, cells, main_run
from eacnet.training.run import finished_trainings, start_of


def trainings(params: Params) -> list[Cell]:
    """Return the trainings of the main network, the ablation and the baselines, each once.

    Raises:
        InputError: the prepared data are missing, or the file that they start from.
    """
    data, found = open_store(PREPARED / params.dataset), {}
    for run in (*cells(params), main_run(params)):  # the main network often is a cell, too
        key = start_of(run, params, data).key
        found.setdefault(key, Cell(run, key, params.recipe.epochs_of(run.calibration)))
    return list(found.values())


def missing(params: Params, these: list[Cell]) -> list[Cell]:
    """Return those that the store of finished trainings lacks."""
    store = finished_trainings(params)
    return [cell for cell in these if not store.has(cell.key)]
