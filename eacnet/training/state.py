"""The state of a training: what it takes to go on behind an interruption."""

import copy
import io
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import nn

from eacnet.files import write_bytes
from eacnet.machine import device_name
from eacnet.models.checkpoint import unfit_values
from eacnet.training.average import Average

CPU = torch.device("cpu")


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
    device: torch.device = CPU
    history: list[Epoch] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write weights, optimiser state and history, all of it or nothing.

        The file holds its own name, which is the fingerprint of the training.
        """
        state = {
            "key": path.stem,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average and self.average.network.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
            "circumstances": self._circumstances(),
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
            if state.get("key", path.stem) != path.stem:  # older ones tell none
                raise ValueError("it is of another training")
            history = [Epoch(**epoch) for epoch in state["history"]]
            before = dict(state["circumstances"])
            for name, part in zip(("network", "optimiser", "average"), parts, strict=False):
                part.load_state_dict(state[name])
            for part in parts:
                if problem := _unfit(part):
                    raise ValueError(problem)
        except (OSError, MemoryError):
            raise
        except Exception:  # pickle's, zip's, PyTorch's own: a damaged file can raise anything
            for state, part in zip(fresh, parts, strict=True):
                part.load_state_dict(state)
            return False
        self.history = history
        now = self._circumstances()
        if changed := [
            f"{name} {before[name]}, now {now[name]}"
            for name in now
            if before.get(name, now[name]) != now[name]
        ]:
            print(
                f"the epochs so far ran with {'; '.join(changed)}: the result is as good, but not "
                "the same to the bit"
            )
        return True

    def _circumstances(self) -> dict[str, int | str]:
        """Return what else the bits depend on."""
        several = torch.distributed.is_available() and torch.distributed.is_initialized()
        return {
            "device": device_name(self.device),
            "threads": torch.get_num_threads(),
            "processes": torch.distributed.get_world_size() if several else 1,
        }


def _unfit(part: nn.Module | torch.optim.Optimizer) -> str:
    """Say why nothing can go on with what a network or an optimiser took up, or ""."""
    if isinstance(part, nn.Module):
        return unfit_values(part.state_dict())
    moments = [value for state in part.state.values() for value in state.values()]
    return "no numbers" * any(torch.is_tensor(each) and each.isnan().any() for each in moments)
