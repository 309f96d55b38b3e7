"""Runtime `eager`: PyTorch, operation by operation, channels last."""

from collections.abc import Sequence

import numpy as np
import torch

from eacnet.inference.folded import Folded
from eacnet.inference.runtimes import DTYPES, Scores
from eacnet.models import EACNet


def precisions(device: torch.device) -> tuple[str, ...]:
    """Return the precisions that the device computes in hardware."""
    if device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return ("fp32", "fp16", "bf16") if has_bf16 else ("fp32", "fp16")
    # Without oneDNN's kernels for it, bfloat16 is emulated and slower than float32.
    return ("fp32", "bf16") if torch.ops.mkldnn._is_mkldnn_bf16_supported() else ("fp32",)


def open_runtime(
    model: EACNet, precision: str, device: torch.device, samples: Sequence[np.ndarray]
) -> Scores:
    """Return the folded network itself."""
    network = Folded(model, DTYPES[precision]).to(device)
    return network.to(memory_format=torch.channels_last)
