import numpy as np
import pytest
import torch

from eacnet.benchmark import build as module
from eacnet.benchmark.build import Setup, name_of
from eacnet.benchmark.cases import Case
from eacnet.benchmark.run import agreement
from eacnet.benchmark.samples import DRAWN
from eacnet.config.benchmark import NETWORKS, Grid
from eacnet.config.names import BACKBONES, BASELINES, CALIBRATIONS
from eacnet.models import build_model, save_model
from eacnet.models.complexity import complexity

SETUP = Setup(classes=19, seed=1, device="cpu", images=DRAWN)
EVERY = {*(f"{name}-none" for name in BACKBONES), *(f"dab-{how}" for how in CALIBRATIONS)}


def test_plans_name_each_network_of_the_table_and_nothing_else():
    crossed = {f"{name}-{how}" for name in BACKBONES for how in CALIBRATIONS}
    assert set(NETWORKS) == crossed | set(BASELINES)
    for name in NETWORKS:
        Grid(networks=[name], forms=["published", "eager"], sizes=[(8, 16)])
    with pytest.raises(ValueError, match="Input should be"):
        Grid(networks=["model"], forms=["eager"], sizes=[(8, 16)])


@pytest.mark.parametrize("name", sorted({*EVERY, *BASELINES}))
def test_any_network_of_the_table_is_built_and_a_wrong_score_would_show(name):
    """Random weights, and yet no class wins nearly everywhere; both forms give the same labels."""
    scene = DRAWN.timed(1, 64, 128)
    labels = SETUP.build(Case(name, "eager", "fp32", 64, 128))(scene)
    assert np.bincount(labels.ravel()).max() < 0.8 * labels.size
    other = SETUP.build(Case(name, "published", "fp32", 64, 128))(scene)
    assert 0.99 < agreement(labels, other) <= 1
    assert name_of(SETUP.network(name)) == name


@pytest.mark.parametrize("name", ["dab-pooled", "erfnet"])
def test_costs_are_those_of_the_network(name):
    expected = vars(complexity(SETUP.network(name), 64, 128))
    assert SETUP.cost(Case(name, "eager", "fp32", 64, 128)) == expected


def test_weights_are_those_of_the_file_for_its_network_alone(tmp_path):
    torch.manual_seed(9)
    trained = build_model("enet", 19, "none")
    classes = [{"name": str(k), "category": "", "color": [k, k, k]} for k in range(19)]
    path = tmp_path / "enet.safetensors"
    save_model(trained, path, classes=classes, mean=[1.0, 2.0, 3.0], std=[1.0] * 3)
    setup = Setup(19, 1, "cpu", DRAWN, path)
    loaded, other = setup.network("enet-none"), setup.network("enet-pooled")
    for key, value in trained.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)
    assert other.card.mean != loaded.card.mean == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("form", "precision", "needed"),
    [("openvino", "int8", True), ("auto", "auto", True), ("openvino", "bf16", False)],
)
def test_samples_go_to_those_that_need_them(monkeypatch, form, precision, needed):
    given = []

    class Two:
        def samples(self, height, width):
            return [np.zeros((height, width, 3)), np.ones((height, width, 3))]

    monkeypatch.setattr(module, "Predictor", lambda model, *, samples, **_: given.append(samples))
    Setup(3, 1, "cpu", Two()).build(Case("enet-none", form, precision, 16, 24))
    (samples,) = given
    assert [image.shape for image in samples or []] == [(16, 24, 3)] * 2 * needed
