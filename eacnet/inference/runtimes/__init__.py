"""The runtimes of a predictor behind one interface.

A runtime is a module of this folder with two functions: `precisions(device)`, the names it has
there, and `open_runtime(model, precision, device, samples)`, which returns the function from
pixels, uint8 (B,H,W,3) of any size on the device, to coarse class scores, float32 (B,K,h,w).
"""

from collections.abc import Callable, Sequence
from importlib import import_module, util

import numpy as np
import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.models import EACNet

Scores = Callable[[Tensor], Tensor]
RUNTIMES = {
    "eager": "eacnet.inference.runtimes.eager",
    "compile": "eacnet.inference.runtimes.compile",
    "onnxruntime": "eacnet.inference.runtimes.onnxruntime",
    "openvino": "eacnet.inference.runtimes.openvino",
}
# The packages that a runtime needs besides PyTorch, and the extra of this project with them.
EXTRAS = {
    "onnxruntime": (("onnxruntime", "onnx"), "onnx"),
    "openvino": (("openvino", "onnx"), "onnx,openvino"),
}
QUANTISER = ("onnxruntime",)  # what int8 needs besides, of extra onnx
PRECISIONS = ("fp32", "bf16", "fp16", "int8")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def missing(packages: Sequence[str]) -> list[str]:
    """Return those packages that are not installed; none is imported."""
    return [package for package in packages if util.find_spec(package) is None]


def lacking(runtime: str, precision: str = "fp32") -> list[str]:
    """Return the packages that `runtime` needs for `precision` and that are not installed."""
    packages = EXTRAS[runtime][0] if runtime in EXTRAS else ()
    return missing(packages + QUANTISER if precision == "int8" else packages)


def libraries(form: str) -> tuple[str, ...]:
    """Return what a form of the benchmark imports at first use: a runtime, or "auto" for all."""
    names = RUNTIMES if form == "auto" else [form]
    found = [each for name in names if name in EXTRAS for each in EXTRAS[name][0]]
    compiler = ["torch._inductor.compile_fx"] if "compile" in names else []
    return tuple(dict.fromkeys([*found, *(["onnxscript", "torch.onnx"] * bool(found)), *compiler]))


def precisions(runtime: str, device: torch.device) -> tuple[str, ...]:
    """Return the precisions that an installed runtime has on `device`."""
    return import_module(RUNTIMES[runtime]).precisions(device)


def check_choice(runtime: str, precision: str, device: torch.device) -> None:
    """Refuse what is unknown or not at hand; "auto" is neither.

    Raises:
        InputError: there is no such runtime or precision, the runtime is not installed, or it
            lacks the precision on the device.
    """
    if runtime != "auto" and runtime not in RUNTIMES:
        raise InputError(f"unknown runtime {runtime!r}; choose one of auto, {', '.join(RUNTIMES)}")
    if precision != "auto" and precision not in PRECISIONS:
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
    absent = lacking(runtime, precision)
    if absent:
        what = f"{runtime} in int8" if precision == "int8" else runtime
        raise InputError(
            f"runtime {what} needs {' and '.join(absent)}, not installed here: "
            f"pip install eacnet[{EXTRAS[runtime][1]}]"
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
    return import_module(RUNTIMES[runtime]).open_runtime(model, precision, device, samples)
