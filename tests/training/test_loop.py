import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from eacnet.config.names import CALIBRATIONS
from eacnet.config.params import Hardware
from eacnet.config.recipe import Recipe
from eacnet.data.samples import Augmentation, Samples
from eacnet.data.store import Split
from eacnet.errors import InputError
from eacnet.models import build_model
from eacnet.training.loop import Epoch, make_fabric, make_optimiser, train
from eacnet.training.losses import CrossEntropy

MEAN = [90.0, 100.0, 110.0]


def recipe(**changes) -> Recipe:
    values = {
        "epochs": 3,
        "batch": 2,
        "crop": (32, 48),
        "scales": [1.0, 1.5],
        "optimiser": {"name": "adam", "lr": 0.001, "weight_decay": 0.0002},
        "schedule": {
            "warmup_iterations": 2,
            "warmup_start": 0.3333,
            "power": 0.9,
            "step": "iteration",
        },
        "loss": {"name": "cross_entropy", "class_weights": "none"},
        "validate_every": 2,
        "precision": "fp32",
        "compile": False,
    }
    return Recipe(**{**values, **changes})


@pytest.fixture
def samples() -> Samples:
    random = np.random.default_rng(0)
    images = random.integers(256, size=(4, 40, 56, 3), dtype=np.uint8)
    labels = random.integers(3, size=(4, 40, 56), dtype=np.uint8)
    how = Augmentation((32, 48), (1.0, 1.5), (90, 100, 110))
    return Samples([Split(images, labels, list("abcd"))], how, seed=7)


def run(
    samples: Samples,
    checkpoint: Path,
    how: Recipe,
    validate=None,
    data: str = "host",
    calibration: str = "pooled",
) -> tuple[nn.Module, list]:
    hardware = Hardware(accelerator="cpu", devices=1, workers=0)
    fabric = make_fabric(hardware, how.precision)
    torch.manual_seed(7)
    network = build_model("fast_scnn" if how.auxiliary else "dab", 3, calibration)
    if how.auxiliary:
        network.add_auxiliary()
    loss = CrossEntropy(None)
    history = train(fabric, network, loss, samples, MEAN, how, 0, checkpoint, validate, data)
    return network, history


def same(one: nn.Module, other: nn.Module) -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("calibration", [name for name in CALIBRATIONS if name != "none"])
def test_the_same_seed_gives_the_same_bits(samples, tmp_path, calibration):
    first, history = run(samples, tmp_path / "a.pt", recipe(), calibration=calibration)
    second, again = run(samples, tmp_path / "b.pt", recipe(), calibration=calibration)
    assert same(first, second)
    assert all(parameter.any() for parameter in first.calibration.parameters())
    assert history == again
    samples.seed = 8
    assert not same(first, run(samples, tmp_path / "c.pt", recipe())[0])


STRONG = {
    "optimiser": {"name": "adamw", "lr": 0.001, "weight_decay": 0.01},
    "average": 0.9,
}


@pytest.mark.parametrize("changes", [{}, STRONG, {"auxiliary": True}])
def test_a_resumed_training_ends_with_the_same_bits(samples, tmp_path, changes):
    how = recipe(validate_every=1, **changes)
    whole, history = run(samples, tmp_path / "whole.pt", how, lambda _: 1.0)
    seen = []

    def interrupt(_: nn.Module) -> float:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return 1.0

    checkpoint = tmp_path / "resumed.pt"
    with pytest.raises(KeyboardInterrupt):
        run(samples, checkpoint, how, interrupt)
    assert len(torch.load(checkpoint, weights_only=True)["history"]) == 1
    resumed, again = run(samples, checkpoint, how, lambda _: 1.0)
    assert same(whole, resumed)
    assert history == again


def test_what_is_left_to_chance_is_drawn_anew_in_each_epoch_and_for_each_seed(samples, tmp_path):
    seeds = []
    for samples.seed in (7, 8):
        checkpoint = tmp_path / f"{samples.seed}.pt"
        how = recipe(epochs=2, validate_every=1)
        run(samples, checkpoint, how, lambda _: seeds.append(torch.initial_seed()) or 1.0)
    assert len(set(seeds)) == 4


def test_two_epochs_of_sgd_equal_the_written_out_loop(samples, tmp_path):
    how = recipe(
        epochs=2,
        optimiser={"name": "sgd", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.1},
        schedule={"warmup_iterations": 0, "warmup_start": 1, "power": 1, "step": "iteration"},
    )
    trained, history = run(samples, tmp_path / "a.pt", how)

    torch.manual_seed(7)
    network = build_model("dab", 3, "pooled").train()
    velocity = [torch.zeros_like(p) for p in network.parameters()]
    losses = []
    # The rate falls over the whole training, not anew in each epoch.
    for iteration, rate in enumerate((0.01, 0.0075, 0.005, 0.0025)):
        epoch, step = divmod(iteration, 2)
        order = np.random.default_rng([7, epoch]).permutation(4)
        drawn = [samples[epoch, int(frame)] for frame in order[2 * step : 2 * step + 2]]
        images = torch.stack([image for image, _ in drawn]).permute(0, 3, 1, 2).float()
        labels = torch.stack([label for _, label in drawn]).long()
        logits = network(images - torch.tensor(MEAN).view(3, 1, 1))
        loss = nn.functional.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        losses.append(loss.item())
        with torch.no_grad():
            for p, v, g in zip(network.parameters(), velocity, gradients, strict=True):
                v.mul_(0.9).add_(g + 0.1 * p)
                p.sub_(rate * v)
    means = [np.mean(losses[:2]), np.mean(losses[2:])]
    assert [epoch.loss for epoch in history] == pytest.approx(means, rel=1e-4)
    assert [epoch.lr for epoch in history] == pytest.approx([0.0075, 0.0025])
    for ours, theirs in zip(trained.parameters(), network.parameters(), strict=True):
        # Rounding turns an activation over here and there, on each processor others: up to 1e-4.
        torch.testing.assert_close(ours, theirs, rtol=0, atol=5e-4)


def test_the_result_is_the_average_where_a_recipe_asks_for_it(samples, tmp_path):
    last, _ = run(samples, tmp_path / "a.pt", recipe())
    averaged, _ = run(samples, tmp_path / "b.pt", recipe(average=0.9))
    state = torch.load(tmp_path / "b.pt", weights_only=True)
    # The average follows the training and does not change it.
    assert all(torch.equal(state["network"][n], v) for n, v in last.state_dict().items())
    assert all(torch.equal(state["average"][n], v) for n, v in averaged.state_dict().items())
    assert not same(last, averaged)


def test_keys_that_a_recipe_leaves_out_change_nothing(samples, tmp_path):
    plain, history = run(samples, tmp_path / "a.pt", recipe(epochs=1))
    neutral = recipe(epochs=1, average=0.0, photometric=None)
    spelt_out, again = run(samples, tmp_path / "b.pt", neutral)
    assert same(plain, spelt_out)
    assert history == again


def test_frames_on_the_device_train_the_same_network(samples, tmp_path):
    samples.how = Augmentation((32, 48), (1.0,), (90, 100, 110))
    host, _ = run(samples, tmp_path / "a.pt", recipe(epochs=1))
    device, _ = run(samples, tmp_path / "b.pt", recipe(epochs=1), data="device")
    assert same(host, device)


def test_validation_is_logged_on_schedule_and_at_the_end(samples, tmp_path):
    _, history = run(samples, tmp_path / "a.pt", recipe(), lambda network: 12.34567)
    assert [epoch.val_miou for epoch in history] == [None, 12.3457, 12.3457]
    assert [epoch.epoch for epoch in history] == [1, 2, 3]


def test_training_lowers_the_loss(samples, tmp_path):
    samples.splits[0].labels[:] = (samples.splits[0].images[..., 0] > 127).astype(np.uint8)
    samples.frames = [(samples.splits[0], i) for i in range(4)]
    _, history = run(samples, tmp_path / "a.pt", recipe(epochs=6))
    assert history[-1].loss < 0.8 * history[0].loss


@pytest.mark.parametrize("rate", [1e30, 1e38])
def test_a_diverging_training_stops_and_says_where(samples, tmp_path, rate):
    how = recipe(
        optimiser={"name": "sgd", "lr": rate, "weight_decay": 0},
        schedule={"warmup_iterations": 0, "warmup_start": 1, "power": 0.9, "step": "iteration"},
    )
    with pytest.raises(InputError) as caught:
        run(samples, tmp_path / "a.pt", how)
    message = str(caught.value)
    assert "the loss is nan in epoch 1, iteration 2" in message
    assert "learning rate" in message
    assert not (tmp_path / "a.pt").exists()


def test_an_optimiser_has_every_parameter_and_the_recipes_numbers():
    network = build_model("dab", 3, "pooled")
    sgd = {"name": "sgd", "lr": 0.045, "momentum": 0.9, "weight_decay": 1e-4}
    group = make_optimiser(network, recipe(optimiser=sgd).optimiser).param_groups[0]
    assert type(make_optimiser(network, recipe().optimiser)) is torch.optim.Adam
    adamw = make_optimiser(network, recipe(**STRONG).optimiser)
    assert type(adamw) is torch.optim.AdamW
    assert adamw.param_groups[0]["weight_decay"] == 0.01
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.045, 0.9, 1e-4)
    assert sum(p.numel() for p in group["params"]) == sum(p.numel() for p in network.parameters())


def test_history_rows_are_finite_numbers(samples, tmp_path):
    _, history = run(samples, tmp_path / "a.pt", recipe(epochs=1))
    assert isinstance(history[0], Epoch)
    assert math.isfinite(history[0].loss)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut"])
def test_a_damaged_checkpoint_is_set_aside_and_the_training_starts_anew(
    samples, tmp_path, capsys, content
):
    whole, history = run(samples, tmp_path / "whole.pt", recipe(epochs=1))
    checkpoint = tmp_path / "a.pt"
    checkpoint.write_bytes(content)
    again, same_history = run(samples, checkpoint, recipe(epochs=1))
    assert same(whole, again)
    assert history == same_history
    assert (tmp_path / "a.damaged").read_bytes() == content
    assert "is damaged and set aside as a.damaged" in capsys.readouterr().out


def test_the_checkpoint_of_another_training_is_set_aside(samples, tmp_path, capsys):
    whole, _ = run(samples, tmp_path / "whole.pt", recipe(epochs=2))
    run(samples, tmp_path / "other.pt", recipe(epochs=1))
    shutil.copy(tmp_path / "other.pt", tmp_path / "a.pt")
    again, _ = run(samples, tmp_path / "a.pt", recipe(epochs=2))
    assert same(whole, again)
    said = capsys.readouterr().out
    assert "set aside as a.damaged" in said
    assert "goes on" not in said


@pytest.mark.parametrize("part", ["network", "optimiser", "average"])
def test_a_checkpoint_that_holds_no_numbers_is_set_aside(samples, tmp_path, capsys, part):
    how = recipe(epochs=2, average=0.9)
    run(samples, tmp_path / "a.pt", recipe(epochs=1, average=0.9))
    state = torch.load(tmp_path / "a.pt", weights_only=True)
    values = next(iter(state[part]["state"].values())) if part == "optimiser" else state[part]
    next(value for value in values.values() if value.ndim).fill_(torch.nan)
    torch.save(state, tmp_path / "a.pt")
    run(samples, tmp_path / "a.pt", how)
    assert "set aside as a.damaged" in capsys.readouterr().out


def test_a_training_goes_on_with_another_number_of_threads_and_says_so(samples, tmp_path, capsys):
    run(samples, tmp_path / "a.pt", recipe(epochs=1))
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        _, history = run(samples, tmp_path / "a.pt", recipe(epochs=2))
    finally:
        torch.set_num_threads(threads)
    assert [epoch.epoch for epoch in history] == [1, 2]
    said = capsys.readouterr().out
    assert "goes on behind epoch 1" in said
    assert f"ran with threads {threads}, now {threads + 1}: the" in said


def test_a_training_goes_on_with_another_processor_and_says_so(
    samples, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("eacnet.training.state.device_name", lambda device: f"old {device.type}")
    run(samples, tmp_path / "a.pt", recipe(epochs=1))
    monkeypatch.setattr("eacnet.training.state.device_name", lambda device: "a new one")
    _, history = run(samples, tmp_path / "a.pt", recipe(epochs=2))
    assert len(history) == 2
    assert (
        "ran with device old cpu, now a new one: the result is as good" in capsys.readouterr().out
    )


def test_the_curve_is_shown_from_the_start_and_after_each_epoch(samples, tmp_path):
    seen = []
    fabric = make_fabric(Hardware(accelerator="cpu", devices=1, workers=0), "fp32")
    network = build_model("dab", 3, "none")
    what = fabric, network, CrossEntropy(None), samples, MEAN, recipe(epochs=2), 0
    train(*what, tmp_path / "a.pt", None, watch=lambda history: seen.append(len(history)))
    assert seen == [0, 1, 2]
