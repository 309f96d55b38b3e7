"""The state of a training: what it takes to go on behind an interruption."""

import copy
import io
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from eacnet.files import write_bytes
from eacnet.models.checkpoint import unfit_values
from eacnet.training.average import Average


@dataclass(frozen=True)
class Epoch:
    """One row of training.csv: mean loss, last learning rate, validation mIoU (percent) or None."""

    epoch: int
    loss: float
    lr: float
    val_miou: float | None


@dataclass
class Training:
    """All that an interrupted training needs to go on with the same bits."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: Average | None = None
    history: list[Epoch] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write weights, optimiser state and history, all of it or nothing."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average and self.average.network.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
            "threads": torch.get_num_threads(),
        }
        content = io.BytesIO()  # a full disk in the midst of an archive is told unintelligibly
        torch.save(state, content)
        write_bytes(path, content.getbuffer())

    def load(self, path: Path) -> bool:
        """Take up the state that `save` wrote; False from a file that holds none, nothing taken."""
        parts = [self.network, self.optimiser, *([self.average.network] if self.average else [])]
        fresh = copy.deepcopy([part.state_dict() for part in parts])
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            history = [Epoch(**epoch) for epoch in state["history"]]
            threads = int(state["threads"])
            for name, part in zip(("network", "optimiser", "average"), parts, strict=False):
                part.load_state_dict(state[name])
            if problem := unfit_values(self.network.state_dict()):
                raise ValueError(problem)
        except (OSError, MemoryError):
            raise
        except Exception:  # pickle's, zip's, PyTorch's own: a damaged file can raise anything
            for state, part in zip(fresh, parts, strict=True):
                part.load_state_dict(state)
            return False
        self.history = history
        if threads != torch.get_num_threads():
            print(
                f"the epochs so far ran with {threads} threads, now there are "
                f"{torch.get_num_threads()}: the result is as good, but not the same to the bit"
            )
        return True
