import json
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from eacnet.errors import InputError
from eacnet.models import ModelCard, build_model, load_model, save_model
from eacnet.models.attention import Point, Pooled

CLASSES = [
    {"name": name, "category": "", "color": [i, 0, 0]} for i, name in enumerate(["sky", "road"])
]
CARD = {"classes": CLASSES, "mean": [72.4, 82.9, 73.2], "std": [1.0, 1.0, 1.0], "dataset": "camvid"}

FURTHER = ("pidnet_s", "ddrnet23_slim", "bisenetv2", "fast_scnn", "cgnet")


@pytest.fixture
def saved(tmp_path, randomised):
    """Return (model, path of its file)."""
    model = randomised(build_model("dab", 2, "pooled"))
    save_model(model, tmp_path / "model.safetensors", **CARD)
    return model, tmp_path / "model.safetensors"


def rewrite(path, change):
    """Write the file again after `change(tensors, metadata)`."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    change(tensors, metadata)
    safetensors.torch.save_file(tensors, path, metadata)


@pytest.mark.parametrize(
    ("backbone", "calibration"),
    [
        ("dab", "none"),
        ("dab", "full"),
        ("dab", "pooled"),
        ("dab", "point"),
        ("dab", "local"),
        ("dab", "edge"),
        ("erf", "pooled"),
        ("enet", "pooled"),
        ("resnet18", "pooled"),
        ("erfnet", "none"),
        *((name, "pooled") for name in FURTHER),
    ],
)
def test_round_trip_keeps_every_bit(backbone, calibration, tmp_path, randomised):
    model = randomised(build_model(backbone, 2, calibration)).eval()
    save_model(model, tmp_path / "model.safetensors", **CARD)
    loaded = load_model(tmp_path / "model.safetensors")

    assert (loaded.backbone_name, loaded.calibration_name) == (backbone, calibration)
    assert loaded.card == ModelCard(**CARD)
    assert not loaded.training
    for (name, value), (other, theirs) in zip(
        model.state_dict().items(), loaded.state_dict().items(), strict=True
    ):
        assert name == other
        assert value.dtype == theirs.dtype
        assert torch.equal(value, theirs)
    images = torch.randn(1, 3, 40, 48)
    with torch.no_grad():
        assert torch.equal(loaded(images), model(images))
    assert all(parameter.requires_grad for parameter in loaded.parameters())


def test_metadata_says_what_the_file_holds(saved):
    with safe_open(saved[1], "pt") as file:
        metadata = file.metadata()
    assert metadata | {"classes": json.loads(metadata["classes"])} == {
        "eacnet_format": "1",
        "backbone": "dab",
        "calibration": "pooled",
        "num_classes": "2",
        "stride": "8",
        "classes": CLASSES,
        "mean": "[72.4, 82.9, 73.2]",
        "std": "[1.0, 1.0, 1.0]",
        "dataset": "camvid",
    }


def test_the_same_network_gives_the_same_bytes_in_another_process(tmp_path):
    script = (
        "import sys, torch; from eacnet import build_model, save_model; torch.manual_seed(3);"
        "save_model(build_model('dab', 2), sys.argv[1], classes=[{'name': 'a'}, {'name': 'b'}],"
        "mean=[1.0, 2.0, 3.0], std=[1.0, 1.0, 1.0])"
    )
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", script, tmp_path / name], check=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_layout_does_not_reach_the_file(saved):
    model, path = saved
    before = path.read_bytes()
    save_model(model.to(memory_format=torch.channels_last), path, **CARD)
    assert path.read_bytes() == before


def test_loading_leaves_the_random_generator_alone(saved):
    before = torch.get_rng_state()
    load_model(saved[1])
    assert torch.equal(torch.get_rng_state(), before)


def test_class_table_of_another_length_is_refused(saved):
    with pytest.raises(InputError, match="1 classes described, the network predicts 2"):
        save_model(saved[0], saved[1], **(CARD | {"classes": CLASSES[:1]}))


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(InputError, match="is missing"):
            load_model(path)


@pytest.mark.parametrize("length", [0, 5, 200, 100_000, -1])
def test_truncated_file(saved, length):
    path = saved[1]
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="no intact safetensors file"):
        load_model(path)


def test_a_file_of_something_else(saved):
    path = saved[1]
    path.write_bytes(b"\x89PNG" * 1000)
    with pytest.raises(InputError, match="no intact safetensors file"):
        load_model(path)
    safetensors.torch.save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="not written by this version"):
        load_model(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, m: t.pop("classifier.weight"), "missing: classifier.weight"),
        (lambda t, m: t.update(extra=torch.ones(1)), "not understood: extra"),
        (
            lambda t, m: t.update({"classifier.weight": torch.ones(3, 259, 1, 1)}),
            r"wrong shape: classifier.weight \(3, 259, 1, 1\) instead of \(2, 259, 1, 1\)",
        ),
        (lambda t, m: m.update(backbone="vgg"), "unknown backbone 'vgg'"),
        (lambda t, m: m.update(calibration="none"), "not understood: calibration.gamma"),
        (lambda t, m: m.update(num_classes="two"), "damaged metadata"),
        (lambda t, m: m.update(mean="[1,"), "damaged metadata"),
        (lambda t, m: m.pop("std"), "damaged metadata"),
        (lambda t, m: m.update(eacnet_format="99"), "not written by this version"),
    ],
)
def test_a_file_that_does_not_hold_what_it_says(saved, change, message):
    rewrite(saved[1], change)
    with pytest.raises(InputError, match=message) as caught:
        load_model(saved[1])
    assert str(saved[1]) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_card_names_an_upsampling_by_corners_and_files_without_that_word_have_none(saved):
    model, path = saved
    assert load_model(path).card.align_corners is False
    with safe_open(path, "pt") as file:
        assert "align_corners" not in file.metadata()
    save_model(model, path, **CARD, align_corners=True)
    assert load_model(path).card == ModelCard(**CARD, align_corners=True)


def damage(name, change):
    """Return what changes one tensor of a file in place."""

    def apply(tensors, metadata):
        tensors[name] = change(tensors[name])

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage("classifier.weight", lambda t: t * float("nan")), "not finite"),
        (damage("classifier.weight", lambda t: t + float("inf")), "not finite"),
        (
            damage("classifier.weight", lambda t: torch.full_like(t, 1e300, dtype=torch.float64)),
            "not finite, .*: classifier.weight",
        ),
        (
            damage("classifier.weight", lambda t: t.fill_(float("nan")).to(torch.float8_e4m3fn)),
            "not finite",
        ),
        (damage("classifier.weight", lambda t: t.long()), "no floating point: classifier.weight"),
        (damage("backbone.fuse1.norm.running_var", lambda t: t - 9), "negative variance"),
        (lambda t, m: m.update(std="[1, 0, 1]"), "std is .* must be greater than 0"),
        (lambda t, m: m.update(std="[1, NaN, 1]"), "std is .* not three finite numbers"),
        (lambda t, m: m.update(mean="[1, Infinity, 1]"), "mean is .* not three finite numbers"),
        (lambda t, m: m.update(mean="[1, 1, 1e40]"), "mean is .* not three finite numbers"),
        (lambda t, m: m.update(mean=f"[1, 1, 1{'0' * 400}]"), "mean is .* not three finite"),
        (lambda t, m: m.update(std="[1, 1e-46, 1]"), "std is .* must be greater than 0"),
        (lambda t, m: m.update(mean="[1, 2]"), "mean is .* not three finite numbers"),
        (lambda t, m: m.update(mean="null"), "mean is None, not three finite numbers"),
        (lambda t, m: m.update(classes="[]"), "0 classes described, the network predicts 2"),
        (lambda t, m: m.update(classes="2"), "2 classes described, the network predicts 2"),
        (lambda t, m: m.update(classes='["a", "b"]'), "class 'a' has no name"),
        (lambda t, m: m.update(classes='[{"name": "a"}, {"name": "a"}]'), "two classes are named"),
        (
            lambda t, m: m.update(classes='[{"name": "a", "color": [1, 2]}, {"name": "b"}]'),
            r"class 'a' has color \[1, 2\]",
        ),
        (lambda t, m: m.update(classes="[" * 100_000), "damaged metadata"),
    ],
)
def test_what_nothing_can_compute_with_is_refused_at_the_loader(saved, change, message):
    rewrite(saved[1], change)
    with pytest.raises(InputError, match=message) as caught:
        load_model(saved[1])
    assert str(caught.value).startswith(str(saved[1]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"std": [1.0, 0.0, 1.0]}, "must be greater than 0"),
        ({"mean": [float("nan")] * 3}, "not three finite"),
        ({"classes": [{"name": "a"}, {}]}, "has no name"),
    ],
)
def test_what_could_not_be_loaded_is_not_written(saved, card, message, tmp_path):
    with pytest.raises(InputError, match=message):
        save_model(saved[0], tmp_path / "new.safetensors", **(CARD | card))
    assert not (tmp_path / "new.safetensors").exists()


@pytest.mark.parametrize("name", ["mine", "mine/", "new/"])
def test_a_network_takes_no_folders_place(saved, tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").touch()
    with pytest.raises(InputError, match="folder"):
        save_model(saved[0], f"{tmp_path}/{name}", **CARD)
    assert (tmp_path / "mine/thesis.tex").exists()
    assert not (tmp_path / "new").exists()


class Mine(Pooled):
    def calibrate(self, scores):
        return -super().calibrate(scores)


ALTERED = {
    "calibration is a Mine": lambda model: setattr(model, "calibration", Mine(2)),
    "calibration is a Point": lambda model: setattr(model, "calibration", Point(2)),
    r"backbone.layers.\w+ is a Tanh": lambda model: model.backbone.layers.append(nn.Tanh()),
    "classifier is a ": lambda model: nn.utils.parametrizations.weight_norm(model.classifier),
    "wrong shape: calibration.gamma": lambda model: setattr(
        model.calibration, "gamma", nn.Parameter(torch.ones(2, 1, 1))
    ),
}


@pytest.mark.parametrize("what", ALTERED)
def test_a_network_that_would_not_come_back_is_not_written(tmp_path, what):
    model = build_model("erf", 2, "pooled")
    ALTERED[what](model)
    card = {"classes": [{"name": "a"}, {"name": "b"}], "mean": [1.0] * 3, "std": [1.0] * 3}
    with pytest.raises(InputError, match=rf"not what build_model\('erf', 2, 'pooled'\).*{what}"):
        save_model(model, tmp_path / "x.safetensors", **card)
    assert not list(tmp_path.iterdir())
