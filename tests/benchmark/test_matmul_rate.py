import pytest
import torch

from eacnet.benchmark import matmul_rate as limits_module
from eacnet.benchmark.matmul_rate import highest, limit_ms, limits


def test_rates_are_those_of_the_fastest_product(monkeypatch):
    """Products of 64 x 64 matrices that take 3, 1 and 2 ms by the clock."""
    monkeypatch.setattr(limits_module, "precisions", lambda *_: ("fp32", "bf16"))
    instants = iter([0, 0.003, 0.003, 0.004, 0.004, 0.006] * 2)
    monkeypatch.setattr(limits_module.time, "perf_counter", lambda: next(instants))
    found = limits(torch.device("cpu"), size=64, seconds=0.005)
    rate = round(2 * 64**3 / 0.001 / 1e9, 1)
    assert found == {"fp32_gflops": rate, "bf16_gflops": rate}


def test_limits_of_this_machine_are_positive():
    found = limits(torch.device("cpu"), size=128, seconds=0)
    assert set(found) == {"fp32_gflops", "bf16_gflops"}
    assert found["fp32_gflops"] > 0
    assert found["bf16_gflops"] is None or found["bf16_gflops"] > 0


def test_the_setting_of_tf32_stays_what_it_was():
    before = torch.backends.cuda.matmul.allow_tf32
    limits(torch.device("cpu"), size=8, seconds=0)
    assert torch.backends.cuda.matmul.allow_tf32 is before


def test_what_is_only_emulated_has_no_limit(monkeypatch):
    monkeypatch.setattr(limits_module, "precisions", lambda *_: ("fp32",))
    assert limits(torch.device("cpu"), size=8, seconds=0)["bf16_gflops"] is None


def test_time_at_the_limit_by_hand():
    """2 images of 10.9 G multiply-accumulates at 205 GFLOP/s."""
    row = {"precision": "fp32", "macs": 10_900_000_000, "batch": 2}
    rates = {"fp32_gflops": 205.0, "bf16_gflops": None}
    assert limit_ms(row, rates) == pytest.approx(212.68, abs=0.01)
    assert limit_ms({**row, "precision": "bf16"}, rates) is None
    assert limit_ms({**row, "precision": "int8"}, rates) is None


def test_the_higher_rate_counts():
    first, second = ({"fp32_gflops": rate, "bf16_gflops": None} for rate in (90.0, 205.0))
    assert highest(first, second) == highest(second, first) == second
