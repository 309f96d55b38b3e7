"""What is kept of trainings is checked before it is used, and made anew where it is damaged."""

import pytest
import torch

from eacnet.config.params import Hardware
from eacnet.errors import InputError
from eacnet.machine import usable_cores
from eacnet.training.loop import make_fabric
from eacnet.training.state import Epoch, Training
from eacnet.training.trained import FILES, Store


@pytest.fixture
def training():
    """A network that has been trained a little, and nothing that it has in common with another."""

    def make(seed):
        torch.manual_seed(seed)
        network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
        optimiser = torch.optim.Adam(network.parameters())
        network(torch.randn(4, 3)).square().sum().backward()
        optimiser.step()
        return Training(network, optimiser, history=[Epoch(1, 1.0, 0.1, None)])

    return make


def state(training):
    parts = training.network.state_dict(), training.optimiser.state_dict()["state"]
    return repr(parts), training.history


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("network"),
        lambda state: state.pop("history"),
        lambda state: state.update(history=[{"epoch": 1}]),
        lambda state: state.update(circumstances="many"),
        lambda state: state["network"].pop("1.running_var"),
        lambda state: state["network"].update({"0.weight": torch.ones(2)}),
        lambda state: state["network"].update({"0.weight": torch.full((3, 3), torch.nan)}),
        lambda state: state.update(optimiser={}),
        lambda state: state["optimiser"].update(param_groups=[]),
    ],
)
def test_a_foreign_checkpoint_leaves_no_trace(training, tmp_path, change):
    training(1).save(tmp_path / "a.pt")
    content = torch.load(tmp_path / "a.pt", weights_only=True)
    change(content)
    torch.save(content, tmp_path / "a.pt")
    ours = training(2)
    before = state(ours)
    assert not ours.load(tmp_path / "a.pt")
    assert state(ours) == before


def test_what_cant_be_read_now_is_not_taken_for_damaged(training, tmp_path):
    (tmp_path / "a.pt").mkdir()
    with pytest.raises(OSError, match=r"a\.pt"):
        training(1).load(tmp_path / "a.pt")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "gone", "flipped"])
def test_a_damaged_training_of_the_store_is_not_taken_over(tmp_path, capsys, name, damage):
    weights, results = tmp_path / "w.safetensors", tmp_path / "results"
    results.mkdir()
    for path in (weights, results / "training.csv", results / "training.json"):
        path.write_text("0123456789")
    store = Store(tmp_path / "store", 10**6)
    store.put("key", weights, results)
    assert store.has("key")
    path = tmp_path / "store/key" / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_text("01234" if damage == "cut" else "0123456780")
    assert not store.has("key")
    assert "store/key is damaged" in capsys.readouterr().out
    store.put("key", weights, results)
    assert store.has("key")


def test_more_processes_than_cores_are_refused_before_they_start():
    cores = usable_cores()
    hardware = Hardware(accelerator="cpu", devices=cores + 1, workers=0)
    with pytest.raises(InputError, match=f"hardware.devices is {cores + 1}, but .* {cores} cores"):
        make_fabric(hardware, "fp32")
