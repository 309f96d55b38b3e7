import pytest
import torch

from eacnet.benchmark import latency, matmul_rate
from eacnet.benchmark.matmul_rate import least_ms, matmul_rates

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(matmul_rate, "SIZES", {"cpu": 64})
    monkeypatch.setattr(matmul_rate, "SECONDS", 0.005)


def test_rates_are_those_of_the_fastest_product(monkeypatch):
    """Products of 64 x 64 matrices that take 3, 1 and 2 ms by the clock."""
    monkeypatch.setattr(matmul_rate, "precisions", lambda device: ("fp32", "bf16"))
    instants = iter([0, 0.003, 0.003, 0.004, 0.004, 0.006] * 2)
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(instants))
    rate = round(2 * 64**3 / 0.001 / 1e9, 1)
    assert matmul_rates(CPU) == {"fp32_gflops": rate, "bf16_gflops": rate}


def test_what_is_only_emulated_has_no_rate(monkeypatch):
    monkeypatch.setattr(matmul_rate, "precisions", lambda device: ("fp32",))
    before = torch.backends.cuda.matmul.allow_tf32
    found = matmul_rates(CPU)
    assert found["fp32_gflops"] > 0
    assert found["bf16_gflops"] is None
    assert torch.backends.cuda.matmul.allow_tf32 is before


def test_time_at_the_limit_by_hand():
    """2 images of 10.9 G multiply-accumulates at 205 GFLOP/s."""
    row = {"precision": "fp32", "macs": 10_900_000_000, "batch": 2}
    rates = {"fp32_gflops": 205.0, "bf16_gflops": None}
    assert least_ms(row, rates) == pytest.approx(212.68, abs=0.01)
    assert least_ms({**row, "precision": "bf16"}, rates) is None
    assert least_ms({**row, "precision": "int8"}, rates) is None
