"""One training as a job, which starts it and stops it; on whatever machine it is run."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eacnet.cells.cell import Cell
from eacnet.cells.shares import Share


@dataclass
class Job:
    """Trains a cell into the store of finished trainings; needs neither DVC nor its lock.

    The training is a process of its own. A job that its time or its rank takes away goes on in
    another from the last epoch, see `checkpoint`.

    Attributes:
        cell: what is trained.
        project: the folder that paths start from.
        share: of this machine; None leaves it to the cluster.
        driver: a file that names a process; the training ends when either is gone.
    """

    cell: Cell
    project: Path
    share: Share | None = None
    driver: Path | None = None
    process: Any = None

    def __call__(self) -> str | None:
        """Train it; return why it failed, None where it did not."""
        rank = int(os.environ.get("SLURM_PROCID", 0))
        log_path = self.cell.log if not rank else self.cell.log.with_suffix(f".{rank}.txt")
        environment = self.share.environment if self.share else {}
        if self.share and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, self.share.cores)
        with log_path.open("a", encoding="utf-8") as log:
            where = str(self.share) if self.share else f"job {self.cell.job.get('id')}"
            host = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
            # Behind a bar that was cut off, too, it has a line of its own.
            print(f"\n== {self.cell.name} on {host}, {where}", file=log, flush=True)
            start = log.tell()
            # A group of its own: signals to the job come here alone.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "eacnet.cells.train", self.cell.folder, self.cell.name],
                cwd=self.project,
                env={**os.environ, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                while self.process.poll() is None:
                    if self.driver and not _alive(self.driver):
                        sys.exit(1)
                    time.sleep(0.2)
            finally:
                code = self.stop()
        error = _last_error(log_path, start, code) if code else None
        if not (code or rank or self.cell.finished):
            error = "code or data changed since it was planned; run the same command again"
        if error:
            if not rank or not self.cell.job.get("error"):
                self.cell.note(**{**self.cell.job, "error": error})
            if not self.share:
                sys.exit(1)  # srun then ends the processes that wait for this one
        elif not rank:
            for name in ("models", "reports"):  # the store has them
                shutil.rmtree(self.cell.folder / name, ignore_errors=True)
        return error

    def stop(self) -> int:
        """End the training, whose last epoch is on the disk; return its exit code."""
        self.process.send_signal(signal.SIGTERM)  # nothing where it has ended
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def checkpoint(self) -> Any:
        """Return the job that goes on with this one's training: submitit asks before the end."""
        from submitit.helpers import DelayedSubmission

        self.stop()
        return DelayedSubmission(replace(self, process=None))


def _last_error(log: Path, start: int, code: int) -> str:
    said = log.read_bytes()[start:].decode(errors="replace").splitlines()
    errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
    if errors:
        return errors[-1]
    if code < 0:
        return f"killed by {signal.Signals(-code).name}; out of memory?"
    return said[-1].strip() if said else f"exit code {code}"


def _alive(driver: Path) -> bool:
    try:
        os.kill(int(driver.read_text()), 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return True
