import pytest
import torch
from torch.optim.lr_scheduler import LinearLR, PolynomialLR, SequentialLR

from eacnet.config.recipe import Schedule
from eacnet.training.schedule import learning_rate


def schedule(**changes) -> Schedule:
    values = {"warmup_iterations": 5, "warmup_start": 1 / 3, "power": 0.9, "step": "iteration"}
    return Schedule(**{**values, **changes})


def test_warm_up_and_poly_equal_pytorchs():
    epochs, steps, warmup = 4, 10, 5
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.045)
    theirs = SequentialLR(
        optimiser,
        [
            LinearLR(optimiser, start_factor=1 / 3, total_iters=warmup),
            PolynomialLR(optimiser, epochs * steps - warmup, power=0.9),
        ],
        milestones=[warmup],
    )
    for iteration in range(epochs * steps):
        expected = optimiser.param_groups[0]["lr"]
        assert learning_rate(schedule(), 0.045, iteration, epochs, steps) == pytest.approx(expected)
        optimiser.step()
        theirs.step()


def test_poly_per_epoch_stands_still_within_an_epoch():
    how = schedule(warmup_iterations=0, step="epoch")
    rates = [learning_rate(how, 1.0, iteration, 4, 10) for iteration in range(40)]
    assert rates == [(1 - epoch / 4) ** 0.9 for epoch in range(4) for _ in range(10)]


def test_a_training_shorter_than_its_warm_up_only_warms_up():
    how = schedule(warmup_iterations=500)
    rates = [learning_rate(how, 3.0, iteration, 1, 100) for iteration in range(100)]
    assert rates[0] == pytest.approx(1.0)
    assert rates == sorted(rates)
    assert rates[-1] < 3.0
