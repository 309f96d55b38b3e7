import pytest
import torch

from eacnet.runtime import limits as limits_module
from eacnet.runtime.limits import limits, share_of_limit


def test_rates_are_those_of_the_fastest_product(monkeypatch):
    """Products of 64 x 64 matrices that take 3, 1 and 2 ms by the clock."""
    instants = iter([0, 0.003, 0.003, 0.004, 0.004, 0.006] * 2)
    monkeypatch.setattr(limits_module.time, "perf_counter", lambda: next(instants))
    found = limits(torch.device("cpu"), size=64, seconds=0.005)
    rate = round(2 * 64**3 / 0.001 / 1e9, 1)
    assert found == {"fp32_gflops": rate, "bf16_gflops": rate}


def test_limits_of_this_machine_are_positive():
    found = limits(torch.device("cpu"), size=128, seconds=0)
    assert set(found) == {"fp32_gflops", "bf16_gflops"}
    assert all(rate > 0 for rate in found.values())


def test_the_setting_of_tf32_stays_what_it_was():
    before = torch.backends.cuda.matmul.allow_tf32
    limits(torch.device("cpu"), size=8, seconds=0)
    assert torch.backends.cuda.matmul.allow_tf32 is before


def test_share_of_the_limit_by_hand():
    """2 images of 10.9 G multiply-accumulates at 205 GFLOP/s: 212.7 ms at least."""
    row = {"precision": "fp32", "macs": 10_900_000_000, "batch": 2, "median_ms": 400.0}
    rates = {"fp32_gflops": 205.0, "bf16_gflops": 850.0}
    assert share_of_limit(row, rates) == pytest.approx(0.5317, abs=1e-4)
    assert share_of_limit({**row, "precision": "int8"}, rates) is None
    assert share_of_limit({**row, "median_ms": None}, rates) is None
