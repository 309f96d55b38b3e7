"""Runtime `onnxruntime`: the network as an ONNX graph, one for all sizes."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.inference.folded import Folded
from eacnet.inference.onnx_graph import EXPORTER, scores_graph
from eacnet.inference.runtimes import Scores
from eacnet.models import EACNet

PACKAGES = ("onnxruntime", "onnx")
EXTRA = "onnx"
LIBRARIES = ("onnxruntime", *EXPORTER)


def precisions(device: torch.device) -> tuple[str, ...]:
    """Return the precisions that ONNX Runtime has fast kernels for on the device.

    Not int8: where the outputs of convolutions are not rounded as well, it computes in float32 all
    the same, and took a tenth longer than without quantising.
    """
    import onnxruntime

    if device.type == "cuda":
        return ("fp32",) if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else ()
    return ("fp32",)


def open_runtime(
    model: EACNet,
    precision: str,
    device: torch.device,
    samples: Sequence[np.ndarray],
) -> Scores:
    """Return an inference session as a function; `samples` are for int8, which it lacks."""
    import onnxruntime

    graph = scores_graph(Folded(model).cpu())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    provider = "CUDAExecutionProvider" if device.type == "cuda" else "CPUExecutionProvider"
    session = onnxruntime.InferenceSession(graph, options, providers=[provider])
    if session.get_providers()[0] != provider:  # what it can't load it does without
        raise InputError(
            f"ONNX Runtime can't load its {provider}, so it would run on the processor: install "
            "the CUDA and cuDNN that it was built for, or choose another runtime"
        )

    def scores(pixels: Tensor) -> Tensor:
        (out,) = session.run(None, {"image": pixels.cpu().numpy()})
        return torch.from_numpy(out).to(pixels.device)

    return scores
