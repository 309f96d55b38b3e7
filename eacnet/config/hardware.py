"""Where things run: this machine, and what a cell asks of a cluster."""

from typing import Annotated, Any, Literal

from pydantic import Field

from eacnet.config.names import Natural, Positive, Real, Strict


class Hardware(Strict):
    """Where it runs."""

    accelerator: Literal["auto", "cpu", "cuda"]
    devices: Positive
    nodes: Positive = 1
    workers: Annotated[Natural, Field(le=1024)]
    data: Literal["auto", "host", "device"] = "auto"
    keep_gib: Annotated[Real, Field(gt=0, le=1_000_000)] = 20


class Cluster(Strict):
    """What one training asks SLURM for; `sbatch` holds further options of that command."""

    partition: str = ""
    constraint: str = ""
    gpus: Natural = 1
    cores: Positive = 4
    memory_gib: Annotated[Real, Field(gt=0, le=1_000_000)] = 16
    hours: Annotated[Real, Field(gt=0, le=10_000)] = 12
    sbatch: dict[str, Any] = Field({})
