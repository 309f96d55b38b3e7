"""The project's own kernels behind the backbone on the processor: compiled at first use.

PyTorch's fused attention spends most of its time on heads as narrow as a class count, and has no
kernel at all that interpolates and compares at once. `postprocess.cpp` does both; where no C++
compiler is at hand, or EACNET_NATIVE=0 is set, PyTorch's own operations do the same work, slower.
"""

import ctypes
import logging
import os
import platform
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.inference.compiled import compiled
from eacnet.inference.rewrite import copied, plain
from eacnet.models.attention import Calibration
from eacnet.models.outline import outlined

SOURCE = Path(__file__).with_name("postprocess.cpp")
FLAGS = (
    *("-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-pthread"),
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
)
WIDE = "-mprefer-vector-width=512"
GUIDE_STEP = 8  # pixels of a guide's images from one score to the next
TOLERANCE = 1e-3  # of the largest score
log = logging.getLogger(__name__)


class Kernels:
    """The compiled kernels for one number of classes; calls give the interpreter free."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self.has_bfloat16 = bool(library.has_bfloat16())

    def calibrate(self, layer: Calibration, scores: Tensor, fast: bool) -> Tensor:
        """Return what `layer` makes of scores.

        Args:
            layer: on the processor, one that `computes` says yes to.
            scores: float32 (B,K,h,w), its guide's channels behind; every memory layout will do.
            fast: what an attention multiplies in bfloat16, its sums in float32, where the processor
                has it.

        Returns:
            float32 (B,K,h,w), or finer by the layer's scale, contiguous.
        """
        batch, _, rows, columns = scores.shape
        finer = rows * layer.scale, columns * layer.scale
        out = torch.empty((batch, layer.num_classes, *finer), dtype=torch.float32)
        scores = _even(scores)
        parameters = torch.cat([p.float().flatten() for p in layer.parameters()])
        for image in range(len(scores)):
            getattr(self.library, layer.native)(
                _pointer(scores[image]),
                *map(ctypes.c_int64, (scores.stride(1), scores.stride(3), *scores.shape[2:])),
                _pointer(parameters),
                int(fast),
                torch.get_num_threads(),
                _pointer(out[image]),
            )
        return out

    @torch.no_grad()
    def agrees(self, layer: Calibration) -> bool:
        """Say whether the kernel and the layer itself make the same of drawn scores."""
        plainly = copied(layer).float()
        generator, side = torch.Generator().manual_seed(0), max(6, layer.smallest)
        channels = layer.num_classes
        if layer.guide is not None:
            size = side * GUIDE_STEP
            channels += plainly.guide(torch.zeros(1, 3, size, size, dtype=torch.float32)).shape[1]
        scores = torch.randn(1, channels, side, side + 1, generator=generator, dtype=torch.float32)
        truth = plainly(scores)
        ours = self.calibrate(layer, scores, fast=False)
        near = TOLERANCE * truth.abs().max()
        return truth.shape == ours.shape and bool((truth - ours).abs().max() <= near)

    def label_map(self, scores: Tensor, size: tuple[int, int], stride: int) -> Tensor:
        """Do what `eacnet.models.label_map.label_map` does, for an even stride."""
        scores = scores.float().contiguous()  # a calibration answers in the dtype of its weights
        rows, columns = scores.shape[-2:]
        labels = torch.empty((len(scores), *size), dtype=torch.uint8)
        for image in range(len(scores)):
            self.library.label_map(
                _pointer(scores[image]),
                *map(ctypes.c_int64, (rows, columns)),
                _pointer(labels[image]),
                *map(ctypes.c_int64, size),
                stride,
                torch.get_num_threads(),
            )
        return labels


def computes(layer: Calibration) -> bool:
    """Say whether there is a kernel that does exactly what a calibration does.

    That is the one which its own class names, where nothing in it has been changed since. What was
    changed on the class itself shows in what it computes: see `Kernels.agrees`.
    """
    if not vars(type(layer)).get("native"):
        return False
    with outlined():
        fresh = type(layer)(layer.num_classes)
    kinds = [type(module) for module in fresh.modules()]
    return (
        kinds == [type(module) for module in layer.modules()]
        and str(layer) == str(fresh)
        and _settings(layer) == _settings(fresh)
        and _weights(layer) == _weights(fresh)  # the kernel reads as many numbers as it knows of
        and all(plain(module, type(module)) for module in layer.modules())
    )


def _settings(layer: Calibration) -> dict[str, object]:
    """Return what was set on a calibration itself, beside its layers."""
    return {
        name: value
        for name, value in vars(layer).items()
        if not name.startswith("_") and name != "training"
    }


def _weights(layer: Calibration) -> list[tuple[str, torch.Size]]:
    """Return name and shape of all weights, in the order in which they lie in memory."""
    kinds = layer.named_parameters(), layer.named_buffers()
    return [(name, each.shape) for kind in kinds for name, each in kind]


@cache
def kernels(classes: int) -> Kernels | None:
    """Return the kernels for so many classes, compiled if need be; None where that can't be done.

    The first call for a processor, compiler and number of classes takes a few seconds, later ones
    find the library in ~/.cache/eacnet (or XDG_CACHE_HOME).
    """
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if os.environ.get("EACNET_NATIVE") == "0" or compiler is None or classes > 256:
        return None
    try:
        return Kernels(ctypes.CDLL(str(_library(compiler, classes))))
    except (OSError, AttributeError, InputError, subprocess.SubprocessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        log.warning("own kernels are not used, PyTorch's are: %s", reason[0] if reason else error)
        return None


def _library(compiler: str, classes: int) -> Path:
    wide = (WIDE,) if platform.machine() in ("x86_64", "AMD64") else ()
    try:
        words = shlex.split(compiler)
    except ValueError as error:
        raise InputError(f"CXX is {compiler!r} ({error})") from None
    command = [*words, *FLAGS, *wide, f"-DCLASSES={classes}"]
    return compiled(SOURCE, command, f"{SOURCE.stem}-{classes}")


def _pointer(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


def _even(maps: Tensor) -> Tensor:
    """Return float32 maps (B,K,h,w) whose positions are all equally far apart in memory."""
    maps = maps.float()
    return maps if maps.stride(2) == maps.stride(3) * maps.shape[3] else maps.contiguous()
