"""The machine's limit: the rate of large matrix products, the densest work that there is."""

from typing import Any

import torch

from eacnet.benchmark.latency import timed
from eacnet.inference.runtimes import DTYPES
from eacnet.inference.runtimes.eager import precisions

RATED = ("fp32", "bf16")
# Rows and columns: large enough for the full rate, small enough for a fraction of a second.
SIZES = {"cpu": 2048, "cuda": 8192}
SECONDS = 0.5


def matmul_rates(device: torch.device) -> dict[str, float | None]:
    """Measure the highest rate of matrix products, 2 operations a multiply-accumulate.

    The highest, not the median: other work on the machine can only lower it. On a GPU, products in
    fp32 may run in TF32 exactly where PyTorch lets convolutions in fp32 do so.

    Returns:
        "<precision>_gflops" in 10^9 operations a second; None for what the device only emulates.
    """
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        return {
            f"{name}_gflops": round(_rate(device, DTYPES[name]), 1)
            if name in precisions(device)
            else None
            for name in RATED
        }
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def least_ms(row: dict[str, Any], rates: dict[str, float | None]) -> float | None:
    """Return the time of a row's multiply-accumulates at these rates, in milliseconds.

    An algorithm such as Winograd's needs fewer, so it can be faster than that. None where the rate
    of the row's precision was not measured.
    """
    rate = rates.get(f"{row['precision']}_gflops")
    return None if rate is None else 2 * row["macs"] * row["batch"] / rate / 1e6


def _rate(device: torch.device, dtype: torch.dtype) -> float:
    synchronise = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    size = SIZES[device.type]
    a, b = (torch.rand(size, size, device=device, dtype=dtype) for _ in range(2))
    out = a @ b  # the first product also sets up the kernel
    times: list[float] = []
    while len(times) < 3 or sum(times) < 1000 * SECONDS:
        times.append(timed(lambda: torch.mm(a, b, out=out), synchronise))
    return 2 * size**3 / min(times) / 1e6
