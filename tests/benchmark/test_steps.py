"""Steps of training that are timed: the step that a training takes, and what is made of it."""

import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from eacnet.benchmark.build import MEAN, Setup
from eacnet.benchmark.run import benchmark
from eacnet.benchmark.samples import DRAWN
from eacnet.benchmark.steps import BuildStep, time_steps
from eacnet.config.benchmark import Plan, Steps
from eacnet.config.recipe import Recipe

RECIPE = Recipe.model_validate(
    {
        "epochs": 5,
        "batch": 2,
        "crop": [32, 64],
        "scales": [1.0],
        "optimiser": {"name": "sgd", "lr": 0.1, "weight_decay": 0.0},
        "schedule": {"warmup_iterations": 0, "warmup_start": 1, "power": 1, "step": "iteration"},
        "loss": {"name": "cross_entropy", "class_weights": "none"},
        "validate_every": 0,
        "precision": "fp32",
        "compile": False,
    }
)
CLASSES = 5
SETUP = Setup(CLASSES, seed=1, device="cpu", images=DRAWN)


def recipe(**changes):
    return RECIPE.model_copy(update=changes)


def plan(*networks, **others):
    timing = {"warm_up": 0, "rounds": 3, "least_rounds": 1, "seconds": 60}
    steps = [Steps(networks=list(networks), recipe="mine")]
    return Plan(classes=CLASSES, training=steps, **{**timing, **others})


def images():
    return np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3), dtype=np.uint8)


def parameters(network):
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def test_a_step_is_one_of_gradient_descent_on_the_loss():
    network = SETUP.network("resnet18-pooled").train()
    pixels = (torch.from_numpy(images()).float() - torch.tensor(MEAN)).permute(0, 3, 1, 2)
    truth = torch.from_numpy(images()[..., 1] % CLASSES).long()
    F.cross_entropy(network(pixels), truth).backward()
    step = BuildStep(SETUP, "resnet18-pooled", RECIPE)()
    step(images())
    taken = parameters(step._objective.module.network)
    for name, value in network.named_parameters():
        expected = value - 0.1 * value.grad
        torch.testing.assert_close(taken[name], expected, rtol=1e-3, atol=1e-4)
    assert any(parameter.grad.abs().max() > 0.01 for parameter in network.parameters())


@pytest.mark.parametrize("network", ["pidnet_s-none", "lraspp"])
def test_auxiliary_heads_and_bfloat16_take_part(network):
    step = BuildStep(SETUP, network, recipe(auxiliary=True, precision="bf16"))()
    before = parameters(step._objective.module.network)
    step(images())
    after = parameters(step._objective.module.network)
    heads = [name for name in after if name.startswith("auxiliary.")]
    changed = [name for name in heads if (after[name] != before[name]).any()]
    assert bool(changed) == bool(heads) == (network == "pidnet_s-none")
    assert all(value.isfinite().all() for value in after.values())


def test_what_a_recipe_holds_is_held():
    step = BuildStep(SETUP, "resnet18-pooled", recipe(trains="calibration", init="a"))()
    before = parameters(step._objective.module.network)
    statistics = step._objective.module.network.backbone.state_dict()
    statistics = {name: value.clone() for name, value in statistics.items()}
    step(images())
    after = parameters(step._objective.module.network)
    changed = {name for name in after if (after[name] != before[name]).any()}
    assert changed
    assert all(name.startswith("calibration.") for name in changed)
    kept = step._objective.module.network.backbone.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in statistics.items())


class Fake:
    """A step of 10 ms, or one that fails in its own way."""

    runtime, choice, precision, attention_kernel = "training", None, "", ""

    def __init__(self, setup, network, recipe):
        self.network = network

    def __call__(self, images=None):
        if images is None:  # it is built
            if self.network == "erfnet":
                raise RuntimeError("no such thing")
            return self
        if self.network == "lraspp":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 17 GB")
        time.sleep(0.01 * len(images))
        return np.zeros(images.shape[:3], np.uint8)


def test_rows_hold_what_was_measured_and_one_that_fails_holds_up_no_other():
    done = []
    what = plan("erfnet", "lraspp", "dab-pooled")
    rows, skipped = time_steps(what, {"mine": RECIPE}, SETUP, done.append, build=Fake)
    assert sum(done) == 3 * (1 + 3)
    assert [each["network"] for each in skipped] == ["erfnet"]
    assert skipped[0]["reason"] == "no such thing"
    failed, row = rows
    assert (failed["reason"], failed["median_ms"], failed["rounds"]) == ("out of memory", None, 0)
    assert failed.keys() == row.keys()
    assert (row["network"], row["form"], row["precision"]) == ("dab-pooled", "training", "fp32")
    assert (row["height"], row["width"], row["batch"]) == (32, 64, 2)
    assert 20 <= row["p5_ms"] <= row["median_ms"] <= row["p95_ms"]
    assert row["fps"] == pytest.approx(2000 / row["median_ms"], rel=0.01)
    assert row["rounds"] == 3
    assert Recipe.model_validate(row["recipe"]) == RECIPE


def test_a_plan_may_time_trainings_alone():
    result = benchmark(
        plan("resnet18-none", rounds=1), torch.device("cpu"), 1, recipes={"mine": RECIPE}
    )
    assert result["rows"] == []
    (row,) = result["training"]
    assert row["median_ms"] > 0
    assert row["peak_memory_mb"] >= 0
