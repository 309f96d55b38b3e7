"""Runtime `openvino`: the network compiled for the processor, once for every image size."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from eacnet.models import EACNet
from eacnet.runtime.backends import Scores
from eacnet.runtime.deploy import Deployed
from eacnet.runtime.onnx_graph import scores_graph
from eacnet.runtime.quantise import quantised

HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
SIZES = 8  # compiled networks that are kept


def precisions(device: torch.device) -> tuple[str, ...]:
    """Return the precisions that the processor computes in hardware; on a GPU none."""
    import openvino

    if device.type != "cpu":
        return ()
    abilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    has = {"fp32": "FP32", "bf16": "BF16", "int8": "INT8"}
    return tuple(name for name, ability in has.items() if ability in abilities)


def open_runtime(
    model: EACNet,
    precision: str,
    device: torch.device,
    samples: Sequence[np.ndarray],
) -> Scores:
    """Return the network as a function; `samples` set the ranges of int8."""
    import openvino

    core = openvino.Core()
    # OpenVINO keeps channels last only between convolutions; anything else costs it two reorders.
    graph = scores_graph(Deployed(model).all_convolutions())
    if precision == "int8":
        graph = quantised(graph, samples)
    hint = HINTS[precision]
    if precision == "int8" and "bf16" in precisions(device):
        hint = "bf16"  # for what is not quantised
    options = {
        "INFERENCE_PRECISION_HINT": hint,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }

    @lru_cache(SIZES)
    def request(shape: tuple[int, ...]) -> "openvino.InferRequest":
        fixed = core.read_model(graph)
        fixed.reshape(list(shape))
        return core.compile_model(fixed, "CPU", options).create_infer_request()

    def scores(pixels: Tensor) -> Tensor:
        out = request(tuple(pixels.shape)).infer([pixels.numpy()], share_inputs=True)
        return torch.from_numpy(np.array(next(iter(out.values()))))

    return scores
