"""Runtime `compile`: PyTorch's Inductor, once for every image size; CUDA graphs on a GPU."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from eacnet.inference.folded import Folded
from eacnet.inference.runtimes import DTYPES, Scores, eager
from eacnet.models import EACNet

LIBRARIES = ("torch._inductor.compile_fx",)
precisions = eager.precisions
# Behind so many compilations in a process, of all networks together, PyTorch would go on without.
LIMITS = {"recompile_limit": 1 << 16, "accumulated_recompile_limit": 1 << 16}


def open_runtime(
    model: EACNet,
    precision: str,
    device: torch.device,
    samples: Sequence[np.ndarray],
) -> Scores:
    """Return the compiled network; its first call at every size takes a minute."""
    network = Folded(model, DTYPES[precision]).to(device)
    network.to(memory_format=torch.channels_last)
    # Weights that can't change are laid out for the kernels while compiling.
    options = {"triton.cudagraphs": True} if device.type == "cuda" else {"freezing": True}
    compiled = torch.compile(network, dynamic=False, options=options)

    def scores(pixels: Tensor) -> Tensor:
        # Inductor's frozen graphs and inference mode don't go together.
        with torch.inference_mode(False), torch.no_grad(), torch._dynamo.config.patch(LIMITS):
            out = compiled(pixels.clone())
        return out.clone() if device.type == "cuda" else out

    return scores
