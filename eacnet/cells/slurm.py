"""All missing trainings as one array job of SLURM."""

import shutil
import subprocess
import time
from pathlib import Path

from eacnet.cells.cell import Cell
from eacnet.cells.job import Job
from eacnet.cells.view import View
from eacnet.config.params import Params
from eacnet.errors import InputError

# Time limits and pre-emptions after which a training goes on: as many as it takes.
RESTARTS = 1_000_000
POLL = 5  # seconds
# A job that SLURM does not know any more and that left no word: after so many looks it is lost.
LOOKS = 6


def submit(these: list[Cell], params: Params, folder: Path, jobs: int | None) -> None:
    """Submit `these` as one array job, of which at most `jobs` run at once.

    Raises:
        InputError: there is no SLURM here, or it refuses the job.
    """
    import submitit
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    if shutil.which("sbatch") is None:
        raise InputError("there is no sbatch here; run this on a node that submits, or locally")
    wanted, hardware = params.cluster, params.hardware
    if wanted.gpus not in (0, hardware.devices):
        raise InputError(
            f"cluster.gpus is {wanted.gpus} and hardware.devices {hardware.devices}; each process"
            " takes one GPU, so set both to the same, or cluster.gpus to 0"
        )
    options = {
        "job_name": f"eacnet-{params.experiment}",
        "time": max(1, round(wanted.hours * 60)),
        "nodes": hardware.nodes,
        "ntasks_per_node": hardware.devices,
        "cpus_per_task": wanted.cores,
        "mem": f"{round(wanted.memory_gib * 1024)}M",
        "gpus_per_node": wanted.gpus or None,
        "partition": wanted.partition or None,
        "constraint": wanted.constraint or None,
        "array_parallelism": jobs or len(these),
        # Since 22.05 srun does not take over the cores from sbatch.
        "srun_args": [f"--cpus-per-task={wanted.cores}", "--kill-on-bad-exit=1"],
        "additional_parameters": {"requeue": True, **wanted.sbatch},
    }
    executor = submitit.SlurmExecutor(folder, max_num_timeout=RESTARTS)
    executor.update_parameters(**{k: v for k, v in options.items() if v is not None})
    try:
        jobs = executor.submit_array([Job(cell, Path.cwd()) for cell in these])
    except (FailedJobError, FailedSubmissionError) as error:
        raise InputError(f"SLURM refuses the job ({' '.join(str(error).split())[-300:]})") from None
    for cell, job in zip(these, jobs, strict=True):
        cell.note(executor="slurm", id=job.job_id)


def states() -> dict[str, str]:
    """Return this user's jobs that SLURM has not ended, and their states: PENDING, RUNNING ...

    Raises:
        InputError: SLURM does not answer.
    """
    command = ["squeue", "--noheader", "--array", "--me", "--format=%i %T"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        why = " ".join(str(getattr(error, "stderr", None) or error).split())
        raise InputError(f"SLURM does not answer ({why}); try again later") from None
    return dict(line.split(maxsplit=1) for line in said.stdout.splitlines() if line.strip())


def follow(these: list[Cell], view: View) -> None:
    """Show `these` until their jobs have ended; the jobs need nobody to look on."""
    missed = dict.fromkeys((cell.key for cell in these), 0)
    running: set[str] = set()
    while missed:
        try:
            known = states()
        except InputError as error:  # the scheduler restarts: the jobs don't mind
            view.say(str(error))
            known = None
        for cell in [cell for cell in these if cell.key in missed]:
            job = cell.job
            state = "?" if known is None else known.get(job.get("id", ""))
            missed[cell.key] += state is None
            if state == "RUNNING" and cell.key not in running:
                running.add(cell.key)
                view.started(cell, f"in job {job['id']}")
            elif state not in ("RUNNING", "COMPLETING", "?", None) and cell.key in running:
                running.discard(cell.key)
                view.say(f"{cell.name} waits in job {job['id']}: {state.lower()}")
            if state is None and (cell.finished or job.get("error") or missed[cell.key] > LOOKS):
                del missed[cell.key]
                lost = f"SLURM lost job {job.get('id')} before its end"
                view.ended(cell, None if cell.finished else job.get("error") or lost)
        view.show()
        time.sleep(POLL if missed else 0)
