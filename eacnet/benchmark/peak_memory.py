"""Peak memory of a process: of the whole process on a CPU, of PyTorch's tensors on a GPU."""

import resource
from contextlib import suppress
from pathlib import Path

import psutil
import torch

PROCESS = Path("/proc/self")
# Left to the rest of the machine when a process is kept from taking all memory.
SPARED = 0.1


class PeakMemory:
    """The most memory that this process held since `restart`, above that at construction.

    On a CPU it is counted by the kernel, so no allocator and no library is missed: resident memory
    at its peak (VmHWM in /proc/self/status) without the pages of files, which are the libraries'
    code. Construct it after the imports. Peaks from before `restart`, such as those of building a
    network, do not count, but what is still held from then, such as weights, does. On a GPU it is
    what PyTorch allocates (`torch.cuda.max_memory_allocated`), without CUDA's own context.

    Args:
        device: where the work is done.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        self._before = 0 if self._on_gpu else _status("VmRSS") - _status("RssFile")

    def restart(self) -> None:
        """Forget peaks so far."""
        if self._on_gpu:
            torch.cuda.reset_peak_memory_stats()
        else:
            with suppress(OSError):  # some sandboxes forbid it: then earlier peaks count, too
                (PROCESS / "clear_refs").write_text("5")

    def megabytes(self) -> float:
        """Return the peak in 10^6 bytes."""
        if self._on_gpu:
            return torch.cuda.max_memory_allocated() / 1e6
        return (_status("VmHWM") - _status("RssFile") - self._before) / 1e6


def limit_memory() -> None:
    """Keep this process from driving the machine out of memory.

    What doesn't fit into the memory that is free now fails with an error that can be caught; should
    the system run out all the same, this process is the first to be killed.
    """
    free = (1 - SPARED) * psutil.virtual_memory().available
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (int(_status("VmData") + free), hard))
    with suppress(OSError):  # some sandboxes forbid it
        (PROCESS / "oom_score_adj").write_text("1000")


def _status(field: str) -> int:
    """Return a line of /proc/self/status, which are in kB, in bytes."""
    lines = (PROCESS / "status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
