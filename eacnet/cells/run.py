"""Training all that an experiment lacks, and saying how far it is."""

import fcntl
import shutil
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from tabulate import tabulate

from eacnet.cells import slurm
from eacnet.cells.cell import Cell
from eacnet.cells.local import train_here
from eacnet.cells.plan import missing, trainings
from eacnet.cells.shares import shares
from eacnet.cells.view import View, path_of_log
from eacnet.config.params import Params
from eacnet.errors import InputError, one_line
from eacnet.layout import CELLS

PARAMS = Path("params.yaml")


def train_all(params: Params, executor: Literal["local", "slurm"], jobs: int | None) -> int:
    """Train what is missing, at most `jobs` at once; return how many trainings there are.

    Raises:
        InputError: data are missing, there is no room or no cluster, another process does the same,
            or trainings failed.
    """
    these = trainings(params)
    left = missing(params, these)
    if not left:
        return len(these)
    folder = (CELLS / params.experiment).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    room = shares(params.hardware, len(left), jobs) if executor == "local" else []
    try:
        with FileLock(folder / ".lock", timeout=0) as lock, View(left) as view:
            in_slurm = _in_slurm(left, needed=executor == "slurm")
            new = [cell for cell in left if cell.key not in in_slurm]
            for cell in new:
                cell.folder.mkdir(exist_ok=True)
                cell.note(executor=executor)
                shutil.copyfile(PARAMS, cell.folder / PARAMS)  # may change while a job waits
            if executor == "local":
                train_here(new, room, folder / "jobs", view)
            else:
                if new:
                    slurm.submit(new, params, folder / "jobs", jobs)
                lock.release()  # SLURM's jobs need nobody
                slurm.follow(left, view)
    except Timeout:
        raise InputError(
            f"another process trains the cells of {params.experiment}; --status shows how far it is"
        ) from None
    if view.failed:
        name, why = next(iter(view.failed.items()))
        raise InputError(f"{len(view.failed)} of {len(left)} trainings failed; {name}: {why}")
    if executor == "local" and in_slurm:
        raise InputError(
            f"{len(in_slurm)} of {len(these)} trainings are still in SLURM; --executor slurm "
            "follows them"
        )
    return len(these)


def status(params: Params) -> str:
    """Return a line for each training: how far it is, and where its log stands."""
    these = trainings(params)
    left = {cell.key for cell in missing(params, these)}
    known, here = _in_slurm(these), _in_use(CELLS / params.experiment / ".lock")
    rows = [
        (
            cell.name,
            _state(cell, known.get(cell.key), here) if cell.key in left else "trained",
            f"{cell.done if cell.key in left else cell.epochs}/{cell.epochs}",
            path_of_log(cell) if cell.log.exists() else "",
        )
        for cell in these
    ]
    return tabulate(rows, ("network", "state", "epochs", "log"), "plain", disable_numparse=True)


def _state(cell: Cell, in_slurm: str | None, in_use: bool) -> str:
    if in_slurm:
        return f"{in_slurm.lower()} in job {cell.job['id']}"
    if error := cell.job.get("error"):
        return f"failed: {one_line(error)}"
    if in_use and cell.job.get("executor") == "local":
        return "running" if cell.job.get("started") else "waiting"
    return "stopped" if cell.done else "missing"


def _in_slurm(these: list[Cell], needed: bool = False) -> dict[str, str]:
    """Return what SLURM says of those that it has not ended, by key; asked only of its own."""
    jobs = {cell.key: cell.job["id"] for cell in these if "id" in cell.job}
    try:
        known = slurm.states() if jobs else {}
    except InputError:
        if needed:
            raise
        known = {}
    return {key: known[job] for key, job in jobs.items() if job in known}


def _in_use(lock: Path) -> bool:
    """Say whether a process holds a lock, which another user may read alone."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none
        pass
    return False
