"""A training that goes on from a trained network, all of it or its calibration alone."""

import numpy as np
import pytest
import torch

from eacnet.config.names import CALIBRATIONS
from eacnet.config.params import Hardware
from eacnet.config.recipe import Recipe
from eacnet.data.samples import Augmentation, Samples
from eacnet.data.store import Split
from eacnet.models import EACNet, build_model
from eacnet.training.loop import make_fabric, make_optimiser, train
from eacnet.training.losses import CrossEntropy

IMAGES = torch.rand(2, 3, 40, 56) * 255 - 100


@pytest.fixture
def samples() -> Samples:
    random = np.random.default_rng(0)
    images = random.integers(256, size=(4, 32, 48, 3), dtype=np.uint8)
    labels = random.integers(3, size=(4, 32, 48), dtype=np.uint8)
    how = Augmentation((32, 48), (1.0,), (90, 100, 110))
    return Samples([Split(images, labels, list("abcd"))], how, seed=7)


def recipe(**changes) -> Recipe:
    values = {
        "epochs": 2,
        "batch": 2,
        "crop": (32, 48),
        "scales": [1.0],
        "optimiser": {"name": "adam", "lr": 0.01, "weight_decay": 0.01},
        "schedule": {"warmup_iterations": 1, "warmup_start": 0.5, "power": 1, "step": "iteration"},
        "loss": {"name": "cross_entropy", "class_weights": "none"},
        "validate_every": 1,
        "precision": "fp32",
        "compile": False,
        "init": "start.safetensors",
        "trains": "calibration",
    }
    return Recipe(**{**values, **changes})


def start(randomised, backbone: str, calibration: str) -> EACNet:
    """Return a network whose norms do something and whose calibration is fresh."""
    torch.manual_seed(7)
    network = build_model(backbone, 3, calibration)
    randomised(network.backbone)
    for parameter in randomised(network.classifier).parameters():
        parameter.data.mul_(1e-4)  # drawn weights give scores of many thousands
    # In training's memory layout, for which PyTorch has kernels of its own.
    return network.to(memory_format=torch.channels_last).eval()


def run(network, samples, checkpoint, how, validate=None):
    fabric = make_fabric(Hardware(accelerator="cpu", devices=1, workers=0), how.precision)
    what = fabric, network, CrossEntropy(None), samples, [90.0, 100.0, 110.0], how, 0
    return train(*what, checkpoint, validate or (lambda network: network.eval() and 1.0))


def states(network: EACNet) -> tuple[dict, dict]:
    """Return what belongs to the calibration, and the rest."""
    parts = {True: {}, False: {}}
    for name, value in network.state_dict().items():
        parts[name.startswith("calibration.")][name] = value.clone()
    return parts[True], parts[False]


def equal(one: dict, other: dict) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("backbone", "calibration", "changes"),
    [
        *(("dab", name, {}) for name in CALIBRATIONS if name != "none"),
        ("dab", "pooled", {"average": 0.9}),
        ("dab", "pooled", {"precision": "bf16"}),
        ("erf", "point", {"optimiser": {"name": "adamw", "lr": 0.01, "weight_decay": 0.1}}),
    ],
)
def test_a_held_backbone_keeps_its_bits_and_its_scores(
    samples, tmp_path, randomised, backbone, calibration, changes
):
    network = start(randomised, backbone, calibration)
    calibrated, rest = states(network)
    with torch.no_grad():
        coarse = network.coarse(IMAGES)
    history = run(network, samples, tmp_path / "a.pt", recipe(**changes))
    assert len(history) == 2
    assert equal(states(network)[1], rest)
    with torch.no_grad():
        assert torch.equal(network.coarse(IMAGES), coarse)
    assert not equal(states(network)[0], calibrated)


def test_held_layers_train_the_calibration_on_the_scores_that_are_scored(
    samples, tmp_path, randomised
):
    """Neither dropout nor a batch's own statistics: the loop written out on fixed scores."""
    samples.splits[0].images[:] = samples.splits[0].images[:1]
    samples.splits[0].labels[:] = samples.splits[0].labels[:1]
    sgd = {"name": "sgd", "lr": 0.01, "weight_decay": 0.0}
    flat = {"warmup_iterations": 0, "warmup_start": 1, "power": 0, "step": "iteration"}
    network = start(randomised, "erf", "point")  # ERFNet drops features out
    image, label = samples[0, 0]
    pixels = (image.float() - torch.tensor([90.0, 100.0, 110.0])).permute(2, 0, 1)[None]
    with torch.no_grad():
        coarse = network.coarse(torch.cat([pixels, pixels.flip(-1)]))
    logits = network.upsample(network.calibration(coarse), (32, 48))
    labels = torch.stack([label, label.flip(-1)]).long()
    straight, flipped = (
        torch.nn.functional.cross_entropy(logits[i : i + 1], labels[i : i + 1]).item()
        for i in range(2)
    )
    how = recipe(epochs=1, batch=1, optimiser={**sgd, "lr": 1e-9}, schedule=flat)
    (epoch,) = run(network, samples, tmp_path / "a.pt", how)
    expected = [(n * straight + (4 - n) * flipped) / 4 for n in range(5)]
    assert min(abs(epoch.loss - value) for value in expected) < 1e-4 * straight


def test_where_nothing_trains_the_start_is_the_result(samples, tmp_path, randomised):
    network = start(randomised, "dab", "none")
    _, rest = states(network)
    assert run(network.train(), samples, tmp_path / "a.pt", recipe()) == []
    assert equal(states(network)[1], rest)
    assert not network.training


def test_a_held_training_goes_on_with_the_same_bits(samples, tmp_path, randomised):
    how = recipe(epochs=3, average=0.9, calibration_lr=10.0)
    whole = start(randomised, "dab", "pooled")
    history = run(whole, samples, tmp_path / "whole.pt", how)
    seen = []

    def interrupt(network) -> float:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return 1.0

    with pytest.raises(KeyboardInterrupt):
        run(start(randomised, "dab", "pooled"), samples, tmp_path / "b.pt", how, interrupt)
    again = start(randomised, "dab", "pooled")
    assert run(again, samples, tmp_path / "b.pt", how) == history
    assert equal(whole.state_dict(), again.state_dict())


def test_the_calibration_has_a_rate_of_its_own(samples, tmp_path, randomised):
    network = start(randomised, "dab", "pooled")
    groups = make_optimiser(network, recipe().optimiser, 10.0).param_groups
    sizes = {group["factor"]: sum(p.numel() for p in group["params"]) for group in groups}
    calibration = sum(p.numel() for p in network.calibration.parameters())
    whole = sum(p.numel() for p in network.parameters())
    assert sizes == {1.0: whole - calibration, 10.0: calibration}

    # One step of plain SGD moves by rate times gradient, the warm-up's half included.
    moved = []
    for factor in (1.0, 10.0):
        network = start(randomised, "dab", "point")
        sgd = {"name": "sgd", "lr": 0.001, "weight_decay": 0.0}
        how = recipe(epochs=1, batch=4, optimiser=sgd, trains="all", calibration_lr=factor)
        before = network.state_dict()
        before = {name: value.clone() for name, value in before.items()}
        run(network, samples, tmp_path / f"{factor}.pt", how)
        after = network.state_dict()
        moved.append({name: after[name] - before[name] for name, _ in network.named_parameters()})
    for name, change in moved[0].items():
        factor = 10 if name.startswith("calibration.") else 1
        torch.testing.assert_close(moved[1][name], factor * change, rtol=1e-3, atol=1e-7)
