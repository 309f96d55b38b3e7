"""Runtime `openvino`: the network compiled for the processor, once for every image size."""

import sys
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from eacnet.inference.channels_last import channels_last
from eacnet.inference.folded import Folded
from eacnet.inference.onnx_graph import EXPORTER, scores_graph
from eacnet.inference.quantise import quantised
from eacnet.inference.runtimes import Scores
from eacnet.models import EACNet

if TYPE_CHECKING:
    import openvino

PACKAGES = ("openvino", "onnx")
PACKAGES_FOR = {"int8": ("onnxruntime",)}  # its quantiser
EXTRA = "onnx,openvino"
LIBRARIES = ("openvino", *EXPORTER)
HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
SIZES = 8  # compiled networks that are kept


@cache
def core() -> "openvino.Core":
    """Return the one Core of this process, which lives as long as the process.

    Each Core's plugin for the processor sets a stack for signal handlers, and gives memory back
    when it goes. Of two, the first one to go leaves the second to bring its stack back: the next
    signal, such as Ctrl-C, would then be delivered into unmapped memory (OpenVINO 2026.4).

    OpenVINO's telemetry stays out of the process: on import it would fork a process that reports
    the use to the vendor, and keep an id in the home folder.
    """
    sys.modules.setdefault("openvino_telemetry", None)
    import openvino

    return openvino.Core()


def precisions(device: torch.device) -> tuple[str, ...]:
    """Return the precisions that the processor computes in hardware; on a GPU none."""
    if device.type != "cpu":
        return ()
    abilities = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    has = {"fp32": "FP32", "bf16": "BF16", "int8": "INT8"}
    return tuple(name for name, ability in has.items() if ability in abilities)


def open_runtime(
    model: EACNet,
    precision: str,
    device: torch.device,
    samples: Sequence[np.ndarray],
) -> Scores:
    """Return the network as a function; `samples` set the ranges of int8."""
    compiled = compiler(model, precision, device, samples)

    @lru_cache(SIZES)
    def request(shape: tuple[int, ...]) -> "openvino.InferRequest":
        return compiled(shape).create_infer_request()

    def scores(pixels: Tensor) -> Tensor:
        out = request(tuple(pixels.shape)).infer([pixels.numpy()], share_inputs=True)
        return torch.from_numpy(np.array(next(iter(out.values()))))

    return scores


def compiler(
    model: EACNet,
    precision: str,
    device: torch.device,
    samples: Sequence[np.ndarray] = (),
    profiled: bool = False,
) -> Callable[[tuple[int, ...]], "openvino.CompiledModel"]:
    """Return a function that compiles the network, pixels to coarse scores, for a shape of pixels.

    Args:
        model: the network.
        precision: one of `precisions(device)`.
        device: where it runs.
        samples: images from which int8 takes its ranges.
        profiled: whether the compiled network keeps the time of each layer.
    """
    graph = scores_graph(channels_last(Folded(model).cpu()))
    if precision == "int8":
        graph = quantised(graph, samples)
    hint = HINTS[precision]
    if precision == "int8" and "bf16" in precisions(device):
        hint = "bf16"  # for what is not quantised
    options = {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "PERF_COUNT": profiled,
    }

    def compiled(shape: tuple[int, ...]) -> "openvino.CompiledModel":
        fixed = core().read_model(graph)
        _give_each_its_own_slopes(fixed)
        fixed.reshape(list(shape))
        return core().compile_model(fixed, "CPU", options)

    return compiled


def _give_each_its_own_slopes(network: "openvino.Model") -> None:
    """Undo in place that activations with equal slopes share them, as they do before training.

    Only an activation with slopes of its own is fused into the convolution before it.
    """
    from openvino import opset13

    for operation in network.get_ops():
        if operation.get_type_name() == "PRelu":
            slopes = operation.input(1)
            own = opset13.constant(slopes.get_source_output().get_node().get_data())
            slopes.replace_source_output(own.output(0))
