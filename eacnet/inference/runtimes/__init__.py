"""The runtimes of a predictor behind one interface.

A runtime is a file of this folder. It has two functions: `precisions(device)`, those that it has
there, and `open_runtime(model, precision, device, samples)`, which returns the function from
pixels, uint8 (B,H,W,3) of any size on the device, to coarse class scores, float32 (B,K,h,w).
And, where there are any,

    PACKAGES       what it needs besides PyTorch, importable names
    PACKAGES_FOR   what a precision needs besides: {"int8": (...)}
    EXTRA          the extra of this project that brings them
    LIBRARIES      what it imports at first use; the benchmark takes their size out of its memory
    whole          what the pass from pixels to label map, both on the device, is wrapped in
"""

import pkgutil
from collections.abc import Callable, Sequence
from importlib import import_module, util
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eacnet.config.names import PRECISIONS
from eacnet.errors import InputError
from eacnet.models import EACNet

Scores = Callable[[Tensor], Tensor]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def runtimes() -> tuple[str, ...]:
    """Return the names of all runtimes, installed or not."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def _fact(runtime: str, name: str, default: Any) -> Any:
    return getattr(import_module(f"{__name__}.{runtime}"), name, default)


def missing(packages: Sequence[str]) -> list[str]:
    """Return those packages that are not installed; none is imported."""
    return [package for package in packages if util.find_spec(package) is None]


def lacking(runtime: str, precision: str = "fp32") -> list[str]:
    """Return the packages that `runtime` needs for `precision` and that are not installed."""
    besides = _fact(runtime, "PACKAGES_FOR", {}).get(precision, ())
    return missing((*_fact(runtime, "PACKAGES", ()), *besides))


def libraries(form: str) -> tuple[str, ...]:
    """Return what a form of the benchmark imports at first use: a runtime, or "auto" for all."""
    names = runtimes() if form == "auto" else [name for name in runtimes() if name == form]
    return tuple(dict.fromkeys(each for name in names for each in _fact(name, "LIBRARIES", ())))


def precisions(runtime: str, device: torch.device) -> tuple[str, ...]:
    """Return the precisions that an installed runtime has on `device`."""
    return _fact(runtime, "precisions", None)(device)


def wrapped(runtime: str, whole: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return the pass from pixels to label map as the runtime wants it: mostly as it is."""
    wrap = _fact(runtime, "whole", None)
    return wrap(whole) if wrap else whole


def check_choice(runtime: str, precision: str, device: torch.device) -> None:
    """Refuse what is unknown or not at hand; "auto" is neither.

    Raises:
        InputError: there is no such runtime or precision, the runtime is not installed, or it
            lacks the precision on the device.
    """
    if runtime not in ("auto", *runtimes()):
        raise InputError(
            f"unknown runtime {runtime!r}; choose one of auto, {', '.join(runtimes())}"
        )
    if precision not in ("auto", *PRECISIONS):
        raise InputError(
            f"unknown precision {precision!r}; choose one of auto, {', '.join(PRECISIONS)}"
        )
    if runtime == "auto":
        return
    _check_packages(runtime, "fp32")
    known = precisions(runtime, device)
    if precision not in ("auto", *known):
        has = f"it has {', '.join(known)}" if known else "it has none there, choose another runtime"
        raise InputError(f"runtime {runtime} has no {precision} on this {device.type}; {has}")
    _check_packages(runtime, precision)


def _check_packages(runtime: str, precision: str) -> None:
    if absent := lacking(runtime, precision):
        what = runtime if precision == "fp32" else f"{runtime} in {precision}"
        extra = _fact(runtime, "EXTRA", "")
        remedy = f"eacnet[{extra}]" if extra else " ".join(absent)
        raise InputError(
            f"runtime {what} needs {' and '.join(absent)}, not installed here: pip install {remedy}"
        )


def check_samples(precision: str, samples: Sequence[np.ndarray]) -> None:
    """Refuse int8 without samples.

    Raises:
        InputError: there are none.
    """
    if precision == "int8" and not samples:
        raise InputError(
            "int8 takes its ranges from images like those to come: pass some dozen as "
            "Predictor(..., samples=images)"
        )


def open_runtime(
    runtime: str,
    model: EACNet,
    precision: str,
    device: torch.device,
    samples: Sequence[np.ndarray],
) -> Scores:
    """Return the function of a runtime from pixels to coarse scores; threads are PyTorch's.

    Raises:
        InputError: as `check_choice`, or int8 is asked for without samples.
    """
    check_choice(runtime, precision, device)
    check_samples(precision, samples)
    return _fact(runtime, "open_runtime", None)(model, precision, device, samples)
