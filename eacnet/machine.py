"""The machine that results come from, cheap to ask and the same bytes each time."""

import os
import platform
import re
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eacnet.errors import InputError
from eacnet.provenance import cpu_name, versions

if TYPE_CHECKING:
    import torch

CPUS = Path("/sys/devices/system/cpu")
RUNTIMES = ("onnxruntime", "openvino", "nncf", "triton")
GPU_QUERY = "name,driver_version,memory.total,clocks.max.sm,power.limit"


def machine() -> dict[str, Any]:
    """Return what decides a timing: device, processor, memory, threads, GPUs, system and versions.

    Threads are what OMP_NUM_THREADS sets, None where the libraries take all cores. Clocks are the
    highest that the hardware allows, not those of the moment; None where the operating system
    doesn't say. PyTorch is not imported, so a GPU is listed even where PyTorch can't use it.
    """
    import psutil

    gpus = _gpus()
    return {
        "device": gpus[0]["name"] if gpus else cpu_name(),
        "cpu": {
            "name": cpu_name(),
            "physical_cores": psutil.cpu_count(logical=False),
            "usable_cores": usable_cores(),
            "max_clock_mhz": _max_clock(),
        },
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "gpus": gpus,
        "system": platform.platform(),
        "versions": versions() | _runtimes(),
    }


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
        InputError: CUDA is asked for, but PyTorch finds no such GPU.
    """
    import torch

    available = torch.cuda.is_available()
    if accelerator == "cuda" and not available:
        raise InputError(
            f"{setting} is 'cuda', but PyTorch finds no CUDA GPU; set it to auto or cpu"
        )
    return torch.device("cuda" if available and accelerator != "cpu" else "cpu")


def device_name(device: "torch.device") -> str:
    """Return the name of a device for people, such as "NVIDIA H200" or the processor's."""
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    return cpu_name()


def slug(name: str) -> str:
    """Return `name` as part of a file name: "AMD EPYC, 2 cores" -> "amd-epyc-2-cores"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _runtimes() -> dict[str, str]:
    """Return the versions of the optional runtimes that are installed."""
    found = {}
    for library in RUNTIMES:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def _max_clock() -> int | None:
    """Return the highest clock of any core in MHz."""
    files = CPUS.glob("cpu[0-9]*/cpufreq/cpuinfo_max_freq")
    clocks = []
    for file in files:
        with suppress(OSError, ValueError):
            clocks.append(int(file.read_text(encoding="ascii")) // 1000)
    return max(clocks, default=None)


def _gpus() -> list[dict[str, Any]]:
    """Return the NVIDIA GPUs as their driver lists them."""
    command = ["nvidia-smi", f"--query-gpu={GPU_QUERY}", "--format=csv,noheader,nounits"]
    try:
        run = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return []
    # A driver that is out of order says so here.
    wanted = GPU_QUERY.count(",")
    return [_gpu(line) for line in run.stdout.splitlines() if line.count(",") == wanted]


def _gpu(line: str) -> dict[str, Any]:
    name, driver, memory, clock, power = (part.strip() for part in line.split(","))
    memory_mib = _number(memory)
    return {
        "name": name,
        "driver": driver,
        "memory_gib": memory_mib and round(memory_mib / 1024),
        "max_clock_mhz": _number(clock),
        "power_limit_w": _number(power),
    }


def _number(text: str) -> float | None:
    # Where the driver doesn't know a value it writes "[N/A]" or the like.
    try:
        return round(float(text))
    except ValueError:
        return None
