"""Runtime `graph`: as `eager`, recorded once for every image size and replayed as a CUDA graph.

A GPU can be done with a layer before the processor has started the next one; a graph starts all of
them at once. Nothing is compiled, so it is ready as soon as a few passes are over.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from eacnet.inference.runtimes import Scores, eager
from eacnet.models import EACNet

KEPT = 8  # graphs, of as many shapes: each holds memory of its own
WARM_UP = 3  # passes in which libraries choose their kernels, which a recording must not see


def precisions(device: torch.device) -> tuple[str, ...]:
    """Return the precisions that the device computes in hardware; a processor has no graphs."""
    return eager.precisions(device) if device.type == "cuda" else ()


def open_runtime(
    model: EACNet, precision: str, device: torch.device, samples: Sequence[np.ndarray]
) -> Scores:
    """Return the folded network; `whole` makes a graph of it and of all that follows."""
    return eager.open_runtime(model, precision, device, samples)


# A graph, and the memory that it reads its input from and leaves its result in.
Graph = tuple[torch.cuda.CUDAGraph, Tensor, Tensor]


class Recorded:
    """A function on a GPU that is recorded at the first call with a shape, and replayed from then.

    Args:
        function: tensor on the GPU -> tensor there; waits for nothing and depends on the shape and
            the values of its input alone.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self.function = function
        self._graphs: OrderedDict[torch.Size, Graph] = OrderedDict()

    def __call__(self, given: Tensor) -> Tensor:
        """Return what the function gives; the next call with this shape overwrites it."""
        if given.shape not in self._graphs:
            self._graphs[given.shape] = self._record(given)
            if len(self._graphs) > KEPT:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(given.shape)
        graph, held, result = self._graphs[given.shape]
        held.copy_(given)
        graph.replay()
        return result

    def _record(self, given: Tensor) -> Graph:
        held = given.clone()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self.function(held)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = self.function(held)
        return graph, held, result


whole = Recorded
