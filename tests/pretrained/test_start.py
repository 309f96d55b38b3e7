import hashlib
from urllib.error import URLError

import pytest
import torch
from torchvision.models import ResNet18_Weights, resnet18

from eacnet.config.names import BASELINES
from eacnet.errors import InputError
from eacnet.models import build_model, save_model
from eacnet.models.network import NETWORKS
from eacnet.pretrained import start as initial
from eacnet.pretrained.imagenet import MEAN, STD, take_imagenet
from eacnet.pretrained.start import describe_start, initial_model

CLASSES = [{"name": name, "category": "", "color": [0, 0, 0]} for name in ("sky", "road", "car")]
RGB = [72.0, 83.0, 73.0]


@pytest.fixture
def saved(tmp_path, randomised):
    """Return a function: backbone, calibration -> (network, path of its file)."""

    def save(backbone, calibration):
        model = randomised(build_model(backbone, 3, calibration)).eval()
        path = tmp_path / f"{backbone}-{calibration}.safetensors"
        save_model(model, path, classes=CLASSES, mean=RGB, std=[1.0] * 3)
        return model, path

    return save


@pytest.fixture(scope="module")
def imagenet():
    """A torchvision ResNet-18 in evaluation mode, with norms that do something."""
    torch.manual_seed(1)
    theirs = resnet18().eval()
    for name, value in theirs.state_dict().items():
        if name.endswith(("running_var", "bn1.weight", "bn2.weight", "downsample.1.weight")):
            value.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "bias")):
            value.uniform_(-0.5, 0.5)
    return theirs


@pytest.mark.parametrize("backbone", ["dab", "erf", "enet", "resnet18"])
@pytest.mark.parametrize("calibration", ["pooled", "full", "point", "local"])
def test_a_fresh_calibration_starts_exactly_at_the_baseline(backbone, calibration, saved):
    baseline, path = saved(backbone, "none")
    model, facts = initial_model(backbone, calibration, CLASSES, RGB, str(path))
    images = torch.randn(2, 3, 48, 64)
    with torch.no_grad():
        assert torch.equal(model.eval()(images), baseline(images))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    init = {"path": str(path), "sha256": digest, "mean": RGB}
    assert facts == {"init": init, "pretrained": None}
    assert describe_start(facts) == f"starts from {path}"


def test_a_calibration_of_the_file_is_taken_up(saved):
    other, path = saved("dab", "pooled")
    model, _ = initial_model("dab", "pooled", CLASSES, RGB, str(path))
    state = model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in other.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_fresh_weights_are_those_of_the_seed_with_and_without_a_file(saved):
    _, path = saved("dab", "none")
    states = []
    for init in (None, str(path)):
        torch.manual_seed(5)
        states.append(initial_model("dab", "pooled", CLASSES, RGB, init)[0].state_dict())
        states[-1]["drawn next"] = torch.randn(1)
    torch.manual_seed(5)
    truth = build_model("dab", 3, "pooled").state_dict()
    assert all(torch.equal(truth[name], states[0][name]) for name in truth)
    for name in ("calibration.query.weight", "calibration.value.bias", "drawn next"):
        assert torch.equal(states[0][name], states[1][name])
    assert (
        describe_start(initial_model("dab", "none", CLASSES, RGB)[1]) == "starts from fresh weights"
    )


@pytest.mark.parametrize(
    ("backbone", "calibration", "classes", "message"),
    [
        ("erf", "pooled", CLASSES, "holds backbone dab, but erf is to be trained"),
        ("dab", "none", CLASSES, "holds calibration pooled, but calibration none"),
        ("dab", "full", CLASSES, "holds calibration pooled, but calibration full"),
        ("dab", "pooled", CLASSES[:2], "predicts 3 classes, the data has 2"),
        (
            "dab",
            "pooled",
            [*CLASSES[:2], {"name": "bus"}],
            "predicts 'car' where the data has 'bus'",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused(backbone, calibration, classes, message, saved):
    _, path = saved("dab", "pooled")
    with pytest.raises(InputError, match=message) as caught:
        initial_model(backbone, calibration, classes, RGB, str(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.safetensors", "none.safetensors is missing"),
        ("a.pth", "eacnet convert .*a.pth model"),
    ],
)
def test_a_file_that_is_no_model_file_is_refused(name, message, tmp_path):
    with pytest.raises(InputError, match=message):
        initial_model("dab", "none", CLASSES, RGB, str(tmp_path / name))


@pytest.mark.parametrize("backbone", NETWORKS)
@pytest.mark.parametrize("std", [(58.395, 57.12, 57.375), (0.25, 2.0, 30.0)])
def test_the_weights_take_in_what_a_file_divides_by(backbone, std, tmp_path, network):
    theirs = network(backbone, "none", std=std)
    card = theirs.card
    path = tmp_path / "divided.safetensors"
    save_model(theirs, path, classes=card.classes, mean=RGB, std=card.std)
    calibration = "none" if backbone in BASELINES else "pooled"
    ours, facts = initial_model(backbone, calibration, card.classes, RGB, str(path))
    assert facts["init"]["mean"] == RGB
    # No multiple of any stride: what stands around the image is the same, too.
    images = torch.randint(256, (2, 3, 70, 101)) - torch.tensor(RGB).view(3, 1, 1)
    truth = theirs.double()(images.double() / torch.tensor(std).view(3, 1, 1).double())
    error = (ours.eval().double()(images.double()) - truth).abs().max() / truth.abs().max()
    assert error < 1e-5
    assert all(parameter.requires_grad for parameter in ours.parameters())


def test_a_backbone_that_reads_the_image_where_nothing_takes_it_in_is_refused(
    tmp_path, network, monkeypatch
):
    monkeypatch.setattr(initial, "BESIDE_FEATURES", {})
    theirs, path = network("dab", "none", std=(58.0,) * 3), tmp_path / "divided.safetensors"
    save_model(theirs, path, classes=theirs.card.classes, mean=RGB, std=theirs.card.std)
    with pytest.raises(InputError, match=r"divided by .58.0.*start from a file whose std is 1"):
        initial_model("dab", "none", theirs.card.classes, RGB, str(path))


def test_imagenet_gives_every_layer_that_fits(imagenet):
    theirs = imagenet.state_dict()
    backbone = build_model("resnet18", 3, "none").backbone
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    counters = {name for name in before if name.endswith("num_batches_tracked")}
    old = {name: v for name, v in theirs.items() if not name.endswith("num_batches_tracked")}
    taken = take_imagenet(backbone, old, RGB)

    # Written out: the stem, then per stage two blocks of two convolutions, each with its norm.
    expected = ["conv1", "bn1"]
    for stage in ("layer1", "layer2", "layer3"):
        for block in (f"{stage}.0", f"{stage}.1"):
            expected += [f"{block}.{layer}" for layer in ("conv1", "bn1", "conv2", "bn2")]
            if block in ("layer2.0", "layer3.0"):
                expected += [f"{block}.downsample.0", f"{block}.downsample.1"]
    assert taken == expected
    after = backbone.state_dict()
    same = {name for name, value in before.items() if torch.equal(value, after[name])}
    assert (
        same - counters
        == {name for name in before if name.startswith(("layer4.", "layer1.0.shortcut."))}
        - counters
    )
    assert torch.equal(after["layer2.0.shortcut.0.weight"], theirs["layer2.0.downsample.0.weight"])
    assert torch.equal(after["layer3.1.norm2.running_var"], theirs["layer3.1.bn2.running_var"])


@pytest.mark.parametrize("mean", [[255 * value for value in MEAN], RGB])
def test_the_stem_computes_what_torchvisions_does(mean, imagenet):
    backbone = build_model("resnet18", 3, "none").backbone.eval()
    take_imagenet(backbone, imagenet.state_dict(), mean)
    pixels = torch.randint(256, (2, 3, 40, 56)).float()
    normalised = (pixels / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    with torch.no_grad():
        truth = imagenet.bn1(imagenet.conv1(normalised))
        ours = backbone.norm(backbone.conv(pixels - torch.tensor(mean).view(3, 1, 1)))
    # Where the means differ, the zeros around the image stand for another colour than theirs.
    inside = slice(None) if mean != RGB else slice(2, -2)
    truth, ours = (maps[..., inside, inside] for maps in (truth, ours))
    torch.testing.assert_close(ours, truth, rtol=1e-4, atol=1e-4)


def test_the_blocks_after_the_stem_compute_what_torchvisions_do(imagenet):
    backbone = build_model("resnet18", 3, "none").backbone.eval()
    take_imagenet(backbone, imagenet.state_dict(), RGB)
    features = torch.rand(1, 64, 16, 24)
    with torch.no_grad():
        truth = imagenet.layer3(imagenet.layer2(imagenet.layer1[1](features)))
        ours = backbone.layer3(backbone.layer2(backbone.layer1[1](features)))
    torch.testing.assert_close(ours, truth)


def test_the_expected_input_is_as_torchvision_documents_it():
    transform = ResNet18_Weights.IMAGENET1K_V1.transforms()
    assert (tuple(transform.mean), tuple(transform.std)) == (MEAN, STD)


def test_a_start_from_imagenet_says_which_layers_it_took(imagenet, monkeypatch):
    monkeypatch.setattr(initial, "download_imagenet", imagenet.state_dict)
    model, facts = initial_model("resnet18", "pooled", CLASSES, RGB, None, "imagenet")
    assert facts["pretrained"][:2] == ["conv1", "bn1"]
    assert describe_start(facts).startswith(
        "starts from ImageNet's weights in conv1, bn1, layer1.0.conv1"
    )
    assert torch.isfinite(model.eval()(torch.zeros(1, 3, 64, 64))).all()


@pytest.mark.parametrize("error", [URLError("no route\nto host"), RuntimeError("invalid hash")])
def test_a_failed_download_gets_one_line(error, monkeypatch):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with pytest.raises(InputError, match="could not be loaded from https://") as caught:
        initial_model("resnet18", "none", CLASSES, RGB, None, "imagenet")
    assert "\n" not in str(caught.value)
    assert "resnet18-f37072fd.pth" in str(caught.value)
