"""The runtimes of a predictor behind one interface.

A runtime is a module of this folder with `PRECISIONS` (device -> names) and a function
`open_runtime(model, precision, device, threads)`, which returns the function from pixels, uint8
(B,H,W,3), to coarse class scores, float32 (B,K,h,w), for any size.
"""

from collections.abc import Callable
from importlib import import_module, util

import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.models import EACNet

Scores = Callable[[Tensor], Tensor]
RUNTIMES = {
    "eager": "eacnet.runtime.eager",
}
# The package that a runtime needs besides PyTorch, and the extra of this project that brings it.
EXTRAS: dict[str, tuple[str, str]] = {}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def installed(runtime: str) -> bool:
    """Say whether what `runtime` needs is installed; nothing is imported."""
    return runtime not in EXTRAS or util.find_spec(EXTRAS[runtime][0]) is not None


def precisions(runtime: str, device: torch.device) -> tuple[str, ...]:
    """Return the precisions that `runtime` has on `device`, best first."""
    return import_module(RUNTIMES[runtime]).precisions(device)


def open_runtime(
    runtime: str, model: EACNet, precision: str, device: torch.device, threads: int | None
) -> Scores:
    """Return the function of a runtime from pixels to coarse scores.

    Raises:
        InputError: there is no such runtime, it is not installed, or it lacks the precision.
    """
    if runtime not in RUNTIMES:
        raise InputError(f"unknown runtime {runtime!r}; choose one of auto, {', '.join(RUNTIMES)}")
    if not installed(runtime):
        package, extra = EXTRAS[runtime]
        raise InputError(
            f"runtime {runtime} needs the package {package}, which is not installed; "
            f"pip install eacnet[{extra}]"
        )
    known = precisions(runtime, device)
    if precision not in known:
        raise InputError(
            f"runtime {runtime} on {device.type} has no precision {precision!r}; choose one of "
            f"{', '.join(known)}"
        )
    return import_module(RUNTIMES[runtime]).open_runtime(model, precision, device, threads)
