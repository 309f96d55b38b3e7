"""Latency of a network: two scopes, batch 1, all contenders timed in turn."""

import re
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np
import torch

from eacnet.errors import InputError
from eacnet.models import EACNet
from eacnet.progress import progress

Key = TypeVar("Key", bound=Hashable)
LOGITS = "logits"
LABEL_MAP = "label map"
# Any color does: what is subtracted changes the values, not the work.
MEAN = (128.0, 128.0, 128.0)
# CUDA, cuDNN, Linux and Windows each have their own words for it.
OUT_OF_MEMORY = re.compile(r"out of memory|not enough memory|allocate memory|ALLOC_FAILED")


def scopes(
    model: EACNet, height: int, width: int, device: torch.device
) -> dict[str, Callable[[], Any]]:
    """Return what is timed of a network at one image size, by scope; call it in inference mode.

    logits: normalised float32 image (1,3,H,W) on the device -> logits at 1/stride on the device.
    Some papers quote this. label map: uint8 image (H,W,3) in host memory -> uint8 label map (H,W)
    in host memory, which is what a user waits for.

    Args:
        model: on `device`, in evaluation mode.
        height: H in pixels.
        width: W in pixels.
        device: where the network is.

    Returns:
        Scope -> one pass, which returns its result and raises InputError where memory runs out.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    mean = torch.tensor(MEAN, device=device)

    def normalise() -> torch.Tensor:
        image = torch.from_numpy(pixels).to(device)
        return (image - mean).permute(2, 0, 1).unsqueeze(0)

    normalised = normalise()

    def logits() -> torch.Tensor:
        return model.scores(normalised)[1]

    def label_map() -> np.ndarray:
        return model(normalise()).argmax(1).to(torch.uint8)[0].cpu().numpy()

    where = f"{height}x{width} on {device.type}"
    return {LOGITS: _explained(logits, where), LABEL_MAP: _explained(label_map, where)}


def measure(
    entries: Mapping[Key, Callable[[], Any]],
    rounds: int,
    warmup: int,
    synchronise: Callable[[], None] = lambda: None,
) -> dict[Key, list[float]]:
    """Time all entries in interleaved rounds, so that a drifting machine hits all alike.

    Args:
        entries: what is timed, by name.
        rounds: timed passes of each entry.
        warmup: passes of each entry before, not timed.
        synchronise: waits until the device has finished, such as `torch.cuda.synchronize`.

    Returns:
        For each entry `rounds` durations in milliseconds, in the order of measurement.
    """
    times: dict[Key, list[float]] = {name: [] for name in entries}
    passes = (warmup + rounds) * len(entries)
    with progress(total=passes, desc="benchmark", unit="pass") as bar:
        for number in range(warmup + rounds):
            for name, entry in entries.items():
                synchronise()
                start = time.perf_counter()
                entry()
                synchronise()
                elapsed = time.perf_counter() - start
                if number >= warmup:
                    times[name].append(1000 * elapsed)
                bar.update()
    return times


def summarise(times: list[float]) -> dict[str, float]:
    """Summarise durations in milliseconds: median, 5th and 95th percentile, passes per second.

    The rate is that of the median duration. Percentiles are interpolated linearly.
    """
    p5, median, p95 = np.percentile(times, (5, 50, 95)).tolist()
    return {"median_ms": median, "p5_ms": p5, "p95_ms": p95, "fps": 1000 / median}


def _explained(entry: Callable[[], Any], where: str) -> Callable[[], Any]:
    """Wrap a pass: an out-of-memory error says which size is too large."""

    def run() -> Any:
        try:
            return entry()
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, RuntimeError) and not OUT_OF_MEMORY.search(str(error)):
                raise
            raise InputError(
                f"out of memory at {where}; take this size out of benchmark.sizes, "
                "or free memory there"
            ) from None

    return run
