"""Memory that the calibration adds at 1/8 of 1024x2048, fused and written out.

Each measurement is a process of its own: the growth of its peak resident memory (ru_maxrss) over
one pass of the calibration on class scores (1,19,128,256).

    python measurements/attention_memory.py
"""

import resource
import subprocess
import sys

import torch

from eacnet.config.names import CALIBRATIONS
from eacnet.models import attention

SIZE = (1, 19, 1024 // 8, 2048 // 8)
WARM_UP = (1, 19, 16, 32)


def measure(form: str, mode: str, step: str) -> float:
    """Return the growth of this process's peak memory in MB."""
    calibration = getattr(attention, CALIBRATIONS[mode])(19)

    def run(size: tuple[int, ...]) -> None:
        scores = torch.randn(size, requires_grad=step == "training")
        with torch.set_grad_enabled(step == "training"):
            out = (calibration if form == "fused" else calibration.written_out)(scores)
        if step == "training":
            out.sum().backward()

    run(WARM_UP)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(SIZE)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    """Print a table, or with three arguments one figure."""
    if len(sys.argv) == 4:
        print(measure(*sys.argv[1:]))
        return
    print(f"{'calibration':12} {'step':10} {'fused MB':>9} {'written out MB':>15}")
    for mode in ("pooled", "full"):
        for step in ("inference", "training"):
            figures = []
            for form in ("fused", "written"):
                command = [sys.executable, __file__, form, mode, step]
                answer = subprocess.run(command, capture_output=True, text=True)
                # A process that the system killed for its memory has no figure.
                figures.append(f"{float(answer.stdout):.0f}" if answer.returncode == 0 else "none")
            print(f"{mode:12} {step:10} {figures[0]:>9} {figures[1]:>15}")


if __name__ == "__main__":
    main()
