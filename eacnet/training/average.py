"""An exponential moving average of a network's weights, which often scores better than the last."""

from copy import deepcopy
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average:
    """The average of `network`'s parameters and buffers over its iterations, as a network.

    Early on it forgets faster than `decay`, so that the fresh weights do not linger in it.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.source = network
        self.network = deepcopy(network).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, iteration: int) -> None:
        """Take in the weights after `iteration`, counted from 0 over the whole training."""
        decay = min(self.decay, (1 + iteration) / (10 + iteration))
        averages, currents = self._values
        get_ema_multi_avg_fn(decay)(averages, currents, None)
        for average, current in self._counts:
            average.copy_(current)

    @cached_property
    def _pairs(self) -> list[tuple[Tensor, Tensor]]:
        # Gathered at the first update: only then do both networks lie on their device for good.
        ours, theirs = self.network.state_dict(), self.source.state_dict()
        return [(ours[name], theirs[name]) for name in ours]

    @cached_property
    def _values(self) -> tuple[list[Tensor], list[Tensor]]:
        pairs = [pair for pair in self._pairs if pair[0].is_floating_point()]
        return [average for average, _ in pairs], [current for _, current in pairs]

    @cached_property
    def _counts(self) -> list[tuple[Tensor, Tensor]]:
        return [pair for pair in self._pairs if not pair[0].is_floating_point()]
