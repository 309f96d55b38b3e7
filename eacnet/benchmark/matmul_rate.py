"""The machine's limit: the rate of large matrix products, the densest work that there is."""

import time
from typing import Any

import torch

from eacnet.inference.runtimes import DTYPES, precisions

MEASURED = ("fp32", "bf16")
# Rows and columns: large enough for the full rate, small enough for a fraction of a second.
SIZES = {"cpu": 2048, "cuda": 8192}


def limits(
    device: torch.device, size: int | None = None, seconds: float = 1.0
) -> dict[str, float | None]:
    """Measure the highest rate of matrix products, 2 operations a multiply-accumulate.

    The highest, not the median: other work on the machine can only lower it. On a GPU, products in
    fp32 may run in TF32 exactly where PyTorch lets convolutions in fp32 do so.

    Args:
        device: where.
        size: rows and columns of the matrices; by default what suits the device.
        seconds: for each precision, at least three products.

    Returns:
        "<precision>_gflops" in 10^9 operations a second; None for what the device only emulates.
    """
    size = size or SIZES[device.type]
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        return {
            f"{name}_gflops": round(_rate(device, DTYPES[name], size, seconds), 1)
            if name in precisions("eager", device)
            else None
            for name in MEASURED
        }
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def highest(
    first: dict[str, float | None], second: dict[str, float | None]
) -> dict[str, float | None]:
    """Return the higher rate of each precision, of two measurements at different times."""
    return {name: rate and max(rate, second[name]) for name, rate in first.items()}


def limit_ms(row: dict[str, Any], limits: dict[str, float | None]) -> float | None:
    """Return the time of a row's multiply-accumulates at the machine's limit, in milliseconds.

    An algorithm such as Winograd's needs fewer, so it can be faster than that. None where the limit
    of the row's precision was not measured.
    """
    rate = limits.get(f"{row['precision']}_gflops")
    return None if rate is None else 2 * row["macs"] * row["batch"] / rate / 1e6


def _rate(device: torch.device, dtype: torch.dtype, size: int, seconds: float) -> float:
    synchronise = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    a, b = (torch.rand(size, size, device=device, dtype=dtype) for _ in range(2))
    out = a @ b  # the first product also sets up the kernel
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        synchronise()
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        synchronise()
        times.append(time.perf_counter() - start)
    return 2 * size**3 / min(times) / 1e9
