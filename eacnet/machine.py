"""The machine that results come from, cheap to ask and the same bytes each time."""

import ctypes
import math
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from eacnet.errors import InputError
from eacnet.provenance import cpu_name

if TYPE_CHECKING:
    import torch

# What a pass runs on. The versions of everything else stand in the provenance of a result.
LIBRARIES = ("torch", "torchvision", "numpy", "onnxruntime", "openvino", "triton")

# Parameters of glibc's mallopt, see mallopt(3).
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def machine() -> dict[str, Any]:
    """Return what tells machines apart: processor, cores, memory, GPUs, versions of libraries.

    The same after each start of the same machine: no kernel, no threads, no clocks, no load. Two
    that agree in it are taken for one, whose speed is measured once. PyTorch is not imported, so a
    GPU is listed even where PyTorch can't use it.
    """
    import psutil

    return {
        "cpu": {"name": cpu_name(), "usable_cores": usable_cores()},
        "memory_gib": nominal_gib(psutil.virtual_memory().total),
        "gpus": [
            {"name": name, "memory_gib": round(float(mib) / 1024) if mib.isdigit() else None}
            for name, mib in gpus("name,memory.total")
        ],
        "versions": {"python": platform.python_version(), **dict(_versions())},
    }


def conditions() -> dict[str, Any]:
    """Return what decides a timing, too, but may change on one machine: load, threads, system.

    Other work on the machine slows a benchmark down: with a load near 0, there was none.
    """
    import psutil
    import torch

    fields = "driver_version,clocks.max.sm,power.limit"
    return {
        "load_average": round(psutil.getloadavg()[0], 1),
        "threads": torch.get_num_threads(),
        "system": platform.platform(),
        "gpus": [dict(zip(fields.split(","), values, strict=True)) for values in gpus(fields)],
    }


def nominal_gib(size: int) -> int:
    """Return the memory in GiB that a machine of `size` bytes was sold with.

    The kernel keeps some per cent for itself, more or less from one version to the next, so `size`
    is rounded up, in steps of a 16th to an 8th of itself.
    """
    step = 2.0 ** (math.floor(math.log2(size / 2**30)) - 3)
    return math.ceil(math.ceil(size / 2**30 / step) * step)


def gpus(fields: str) -> list[list[str]]:
    """Return what the driver says of each NVIDIA GPU; `fields` are those of nvidia-smi."""
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        run = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return []
    lines = [line.split(", ") for line in run.stdout.splitlines()]
    # A driver that is out of order says so on the same stream.
    return [values for values in lines if len(values) == len(fields.split(","))]


def usable_cores() -> int:
    """Return how many logical cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pick_device(accelerator: str, setting: str = "hardware.accelerator") -> "torch.device":
    """Return the device that `accelerator` (auto, cpu or cuda) stands for.

    Args:
        accelerator: what was asked for.
        setting: where it was asked for, for the message.

    Raises:
        InputError: it is none of these, or CUDA, but PyTorch finds no such GPU.
    """
    import torch

    if accelerator not in ("auto", "cpu", "cuda"):
        raise InputError(f"{setting} is {accelerator!r}; allowed: auto, cpu or cuda")

    available = torch.cuda.is_available()
    if accelerator == "cuda" and not available:
        raise InputError(
            f"{setting} is 'cuda', but PyTorch finds no CUDA GPU; set it to auto or cpu"
        )
    return torch.device("cuda" if available and accelerator != "cpu" else "cpu")


def keep_freed_memory() -> None:
    """Keep what this process frees for what it needs next, until it ends.

    By default glibc gives each large block back to the system, which clears its pages before it
    hands them out again: a quarter of the time that a network takes for a frame of 1024x2048. Other
    C libraries are left as they are.
    """
    with suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)


def device_name(device: "torch.device") -> str:
    """Return the name of a device for people, such as "NVIDIA H200" or the processor's."""
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    return cpu_name()


def slug(name: str) -> str:
    """Return `name` as part of a file name: "AMD EPYC, 2 cores" -> "amd-epyc-2-cores"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _versions() -> Iterator[tuple[str, str]]:
    """Yield the installed ones of LIBRARIES and their versions."""
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            yield library, version(library)
