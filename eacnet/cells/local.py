"""All missing trainings on this machine, as many at once as there are shares of it."""

import os
import time
from pathlib import Path
from typing import Any

from eacnet.cells.cell import Cell
from eacnet.cells.job import Job
from eacnet.cells.shares import Share
from eacnet.cells.view import View
from eacnet.files import write_text

YEAR = 365 * 24 * 60  # minutes: submitit wants a limit, and there is none


def train_here(these: list[Cell], shares: list[Share], folder: Path, view: View) -> None:
    """Train `these`, each on the next share that is free; one that fails does not stop the others.

    Whatever ends this process ends the trainings, which go on from their last epochs when the same
    is asked for again.

    Args:
        these: what is missing.
        shares: of this machine.
        folder: where submitit keeps its files.
        view: is shown each start, epoch and end.
    """
    import submitit

    executor = submitit.LocalExecutor(folder)
    # Ctrl-C and a closed terminal reach all processes: this one alone acts on them.
    executor.update_parameters(timeout_min=YEAR, setup=["trap '' INT HUP"])
    driver = folder / "driver"
    write_text(driver, str(os.getpid()))
    waiting, free = list(these), list(shares)
    running: dict[str, tuple[Cell, Share, Any]] = {}
    try:
        while waiting or running:
            while waiting and free:
                cell, share = waiting.pop(0), free.pop(0)
                cell.note(executor="local", started=True)
                job = executor.submit(Job(cell, Path.cwd(), share, driver))
                running[cell.key] = cell, share, job
                view.started(cell, f"on {share}")
            for cell, share, job in list(running.values()):
                if job.done():
                    del running[cell.key]
                    free.append(share)
                    view.ended(cell, _outcome(job))
            view.show()
            time.sleep(0.5)
    finally:
        driver.unlink(missing_ok=True)
        deadline = time.monotonic() + 15
        while not all(job.done() for *_, job in running.values()) and time.monotonic() < deadline:
            time.sleep(0.1)


def _outcome(job: Any) -> str | None:
    return "its process was killed" if job.exception() else job.result()
