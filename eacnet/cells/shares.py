"""How a machine's GPUs and cores are shared out among trainings that run at once."""

import os
from dataclasses import dataclass

from eacnet.config.hardware import Hardware
from eacnet.errors import InputError
from eacnet.machine import gpus


@dataclass(frozen=True)
class Share:
    """What one training at a time has to itself.

    Attributes:
        gpus: as CUDA_VISIBLE_DEVICES names them; none on processors.
        cores: the logical cores that its processes run on.
        threads: of each of its processes.
    """

    gpus: tuple[str, ...]
    cores: tuple[int, ...]
    threads: int

    def __str__(self) -> str:
        names = [("GPU", self.gpus), ("core", self.cores)]
        words = [f"{name}{'s' * (len(own) > 1)} {', '.join(map(str, own))}" for name, own in names]
        return " and ".join(words[not self.gpus :])

    @property
    def environment(self) -> dict[str, str]:
        """What holds the processes to it, besides their affinity."""
        threads = os.environ.get("OMP_NUM_THREADS", str(self.threads))
        return {"CUDA_VISIBLE_DEVICES": ",".join(self.gpus), "OMP_NUM_THREADS": threads}


def shares(hardware: Hardware, trainings: int, jobs: int | None = None) -> list[Share]:
    """Return a share for each of at most `jobs` trainings at once, of at least one.

    On GPUs each training has `hardware.devices` of them; else each process has a core or more. By
    default as many run at once as there is room for.

    Raises:
        InputError: there is no room for a single training, or for as many as `jobs`.
    """
    devices, cores = hardware.devices, _cores()
    if hardware.nodes > 1:
        raise InputError(
            f"hardware.nodes is {hardware.nodes}, but this is one machine; --executor slurm has"
            " several, or set hardware.nodes to 1"
        )
    cards = [] if hardware.accelerator == "cpu" else visible_gpus()
    if hardware.accelerator == "cuda" and not cards:
        raise InputError("hardware.accelerator is 'cuda', but no GPU is visible; set it to auto")
    what, room = ("GPUs", len(cards)) if cards else ("cores", len(cores))
    if room < devices * (jobs or 1):
        raise InputError(
            f"this machine has {room} {what}, too few for {jobs or 1} trainings of"
            f" hardware.devices {devices}; lower --jobs or hardware.devices"
        )
    count = max(1, min(trainings, jobs or room // devices))
    found = []
    for index in range(count):
        own = cores[index * len(cores) // count : (index + 1) * len(cores) // count] or cores
        card = cards[index * devices : (index + 1) * devices]
        found.append(Share(tuple(card), tuple(own), max(1, len(own) // devices)))
    return found


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip() not in ("", "-1")]
    return [index for (index,) in gpus("index")]


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
