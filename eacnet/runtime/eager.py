"""Runtime `eager`: PyTorch, operation by operation, channels last."""

import torch

from eacnet.models import EACNet
from eacnet.runtime.backends import DTYPES, Scores
from eacnet.runtime.deploy import Deployed


def precisions(device: torch.device) -> tuple[str, ...]:
    """Return the precisions that the device computes in hardware."""
    if device.type == "cuda":
        return ("fp32", "fp16", "bf16") if torch.cuda.is_bf16_supported() else ("fp32", "fp16")
    # Without oneDNN's kernels for it, bfloat16 is emulated and slower than float32.
    return ("fp32", "bf16") if torch.ops.mkldnn._is_mkldnn_bf16_supported() else ("fp32",)


def open_runtime(
    model: EACNet, precision: str, device: torch.device, threads: int | None
) -> Scores:
    """Return the deployed network; `threads` is set for all of PyTorch in this process."""
    if threads:
        torch.set_num_threads(threads)
    network = Deployed(model, DTYPES[precision]).to(device)
    network.to(memory_format=torch.channels_last)
    return network
