"""Latency: warm-up until the median settles, then rounds in which all cases take turns."""

import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)
# Median of this many passes, against that of as many before.
WINDOW = 3
# Largest change of the median that counts as none.
TOLERANCE = 0.03


def settled(times: Sequence[float]) -> bool:
    """Say whether the median of the last passes is that of as many before, within 3 %."""
    if len(times) < 2 * WINDOW:
        return False
    before, last = np.median(times[-2 * WINDOW : -WINDOW]), np.median(times[-WINDOW:])
    return bool(abs(last - before) <= TOLERANCE * last)


def warm_up(run: Callable[[], float], seconds: float) -> tuple[int, bool]:
    """Pass until the median settles, or for so many seconds; at least one pass.

    Args:
        run: one pass, which returns its duration in milliseconds.
        seconds: after which no further pass is begun.

    Returns:
        The number of passes, and whether their median has settled.
    """
    times: list[float] = []
    start = time.perf_counter()
    while not times or (time.perf_counter() - start < seconds and not settled(times)):
        times.append(run())
    return len(times), settled(times)


def interleave(
    runs: Mapping[Key, Callable[[], float]],
    rounds: int,
    least: int = 1,
    seconds: float = math.inf,
    after_pass: Callable[[], Any] = lambda: None,
) -> dict[Key, list[float]]:
    """Time all runs in turn, so that a drifting machine hits all alike.

    Args:
        runs: by name, one pass, which returns its duration in milliseconds.
        rounds: passes of each.
        least: passes of each even where `seconds` are over before.
        seconds: after which, between two rounds, it stops early.
        after_pass: is called after each pass of each.

    Returns:
        By name the durations, as many for each, in the order of measurement.
    """
    times: dict[Key, list[float]] = {name: [] for name in runs}
    start = time.perf_counter()
    for number in range(rounds):
        if number >= least and time.perf_counter() - start >= seconds:
            break
        for name, run in runs.items():
            times[name].append(run())
            after_pass()
    return times


def timed(function: Callable[[], Any], synchronise: Callable[[], None] = lambda: None) -> float:
    """Call `function` once and return how long the device was busy with it, in milliseconds.

    Args:
        function: what is timed.
        synchronise: waits until the device has finished, such as `torch.cuda.synchronize`.
    """
    synchronise()
    start = time.perf_counter()
    function()
    synchronise()
    return 1000 * (time.perf_counter() - start)


def summarise(times: Sequence[float]) -> dict[str, float]:
    """Summarise durations in milliseconds: median, 5th and 95th percentile, passes per second.

    The rate is that of the median duration. Percentiles are interpolated linearly.
    """
    p5, median, p95 = np.percentile(times, (5, 50, 95)).tolist()
    return {"median_ms": median, "p5_ms": p5, "p95_ms": p95, "fps": 1000 / median}
