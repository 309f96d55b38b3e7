import statistics
from itertools import chain, repeat

import numpy as np
import pytest

from eacnet.benchmark import latency
from eacnet.benchmark.latency import interleave, settled, summarise, timed, warm_up


class Device:
    """A clock, and a device that works through its queue only when it is waited for."""

    def __init__(self):
        self.now = 100.0
        self.queue = []

    def perf_counter(self):
        return self.now

    def synchronise(self):
        self.now += sum(self.queue)
        self.queue.clear()

    def take(self, milliseconds):
        """Pass that much time; return it, as a pass does."""
        self.now += milliseconds / 1000
        return milliseconds


@pytest.fixture
def device(monkeypatch):
    device = Device()
    monkeypatch.setattr(latency, "time", device)
    return device


def test_runs_take_turns_and_each_pass_is_told():
    order = []
    runs = {name: lambda name=name: order.append(name) or 1.0 for name in "abc"}
    times = interleave(runs, rounds=2, after_pass=lambda: order.append("|"))
    assert order == list("a|b|c|a|b|c|")
    assert times == {"a": [1, 1], "b": [1, 1], "c": [1, 1]}


def test_time_includes_what_the_device_has_yet_to_do_and_nothing_of_others(device):
    device.queue.append(7.0)
    assert timed(lambda: device.queue.append(0.25), device.synchronise) == 250
    assert timed(lambda: device.queue.append(2.0), device.synchronise) == 2000


def test_summary_is_that_of_the_standard_library():
    times = np.random.default_rng(0).gamma(2, 5, 37).tolist()
    twentieths = statistics.quantiles(times, n=20, method="inclusive")
    summary = summarise(times)
    assert summary["median_ms"] == pytest.approx(statistics.median(times))
    assert summary["p5_ms"] == pytest.approx(twentieths[0])
    assert summary["p95_ms"] == pytest.approx(twentieths[-1])
    assert summary["fps"] == pytest.approx(1000 / statistics.median(times))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([10] * 5, False),  # too few to tell
        ([10] * 6, True),
        ([90, 10, 50, 10, 10, 10], False),  # still falling: 50, then 10
        ([90, 10, 10, 99, 10, 10], True),  # two outliers move no median
        ([100, 100, 100, 97, 97, 97], False),  # 3.1 % of 97
        ([100, 100, 100, 97.1, 97.1, 97.1], True),  # 2.99 % of 97.1
        ([97.1, 97.1, 97.1, 100, 100, 100], True),
        ([500, 400, 300, *[10] * 6], True),  # what lies further back is forgotten
    ],
)
def test_settled_by_hand(times, expected):
    assert settled(times) is expected


def test_warm_up_ends_when_the_median_settles(device):
    passes = chain([900, 300, 200, 120], repeat(100))
    # Medians of three: 300 | 100 after six, 200 | 100 after seven, 120 | 100, then 100 | 100.
    assert warm_up(lambda: device.take(next(passes)), seconds=60) == (9, True)


def test_warm_up_of_what_never_settles_ends_in_time(device):
    passes = (2**n for n in range(20))
    # After 1 + 2 + ... + 1024 ms, 2 seconds are over for the first time.
    assert warm_up(lambda: device.take(next(passes)), seconds=2) == (11, False)
    assert warm_up(lambda: device.take(5000), seconds=0) == (1, False)


def test_rounds_end_in_time_but_only_complete(device):
    runs = {"a": lambda: device.take(300), "b": lambda: device.take(100)}
    assert interleave(runs, rounds=9, least=1, seconds=1.0) == {"a": [300] * 3, "b": [100] * 3}
    assert interleave(runs, rounds=9, least=5, seconds=1.0) == {"a": [300] * 5, "b": [100] * 5}
    assert interleave(runs, rounds=2, least=5, seconds=9.0) == {"a": [300] * 2, "b": [100] * 2}
