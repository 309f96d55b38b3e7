"""Latency: warm-up until the median settles, then rounds in which all contenders take turns."""

import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from eacnet.progress import progress

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
) -> dict[Key, list[float]]:
    """Time all contenders in turn, so that a drifting machine hits all alike.

    Args:
        runs: by name, one pass, which returns its duration in milliseconds.
        rounds: passes of each.
        least: passes of each even where `seconds` are over before.
        seconds: after which, between two rounds, it stops early.

    Returns:
        By name the durations, as many for each, in the order of measurement.
    """
    times: dict[Key, list[float]] = {name: [] for name in runs}
    start = time.perf_counter()
    with progress(total=rounds * len(runs), desc="timing", unit="pass", leave=False) as bar:
        for number in range(rounds):
            if number >= least and time.perf_counter() - start >= seconds:
                break
            for name, run in runs.items():
                times[name].append(run())
                bar.update()
    return times


def measure(
    entries: Mapping[Key, Callable[[], Any]],
    rounds: int,
    warmup: int,
    synchronise: Callable[[], None] = lambda: None,
) -> dict[Key, list[float]]:
    """Time functions of this process in interleaved rounds, as many for each.

    Args:
        entries: what is timed, by name.
        rounds: timed passes of each entry.
        warmup: passes of each entry before, not timed.
        synchronise: waits until the device has finished, such as `torch.cuda.synchronize`.

    Returns:
        For each entry `rounds` durations in milliseconds, in the order of measurement.
    """
    runs = {name: partial(timed, entry, synchronise) for name, entry in entries.items()}
    times = interleave(runs, warmup + rounds)
    return {name: durations[warmup:] for name, durations in times.items()}


def timed(entry: Callable[[], Any], synchronise: Callable[[], None]) -> float:
    """Run `entry` once and return how long the device was busy with it, in milliseconds."""
    synchronise()
    start = time.perf_counter()
    entry()
    synchronise()
    return 1000 * (time.perf_counter() - start)


def summarise(times: Sequence[float]) -> dict[str, float]:
    """Summarise durations in milliseconds: median, 5th and 95th percentile, passes per second.

    The rate is that of the median duration. Percentiles are interpolated linearly.
    """
    p5, median, p95 = np.percentile(times, (5, 50, 95)).tolist()
    return {"median_ms": median, "p5_ms": p5, "p95_ms": p95, "fps": 1000 / median}
