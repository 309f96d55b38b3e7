from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from eacnet.config import names as schema
from eacnet.errors import InputError
from eacnet.models import backbones, build_model, network
from eacnet.models.backbones.fast_scnn import part_means
from eacnet.models.backbones.layers import Norm
from eacnet.pretrained.published import load_published

COUNTS = {
    ("dab", "none"): 756_643,
    ("dab", "full"): 757_784,
    ("dab", "pooled"): 757_784,
    ("dab", "point"): 756_643 + 19 * 19 + 19,
    ("dab", "local"): 756_643 + 9 * 19 * 19 + 19,
    # edge: point, convolutions, three norms and PReLUs, and the last convolution with its bias.
    ("dab", "edge"): 756_643
    + 19 * 20
    + (27 * 16 + 9 * 16 * 32 + 9 * 32 * 32)
    + 3 * (16 + 32 + 32)
    + 36 * (16 * 32 + 1),
    ("erf", "none"): 1_876_495,
    ("erf", "full"): 1_877_636,
    ("erf", "pooled"): 1_877_636,
    ("enet", "none"): 340_598,
    ("enet", "full"): 341_739,
    ("enet", "pooled"): 341_739,
    ("resnet18", "none"): 5_306_880,
    ("resnet18", "full"): 5_308_021,
    ("resnet18", "pooled"): 5_308_021,
    # The published 2,066,642 count the encoder's own 1x1 classifier, which decoding leaves unused.
    ("erfnet", "none"): 2_066_642 - 19 * (128 + 1),
    ("pidnet_s", "none"): 7_625_715,
    ("ddrnet23_slim", "none"): 5_695_987,
    ("bisenetv2", "none"): 3_358_627,
    ("fast_scnn", "none"): 1_138_051,
    ("cgnet", "none"): 496_306,
    ("cgnet", "pooled"): 496_306 + 1_141,
    # torchvision's own count is 3,221,538 at 21 classes: two classifiers, on 40 and 128 channels.
    ("lraspp", "none"): 3_221_538 - 2 * (40 + 128 + 2),
}
REFERENCES = [
    "dab-none",
    "dab-full",
    "dab-pooled",
    "erf-none",
    "erf-full",
    "erf-pooled",
    "enet-none",
    "enet-pooled",
    "resnet18-none",
    "resnet18-pooled",
    "erfnet-decoder",
]
FURTHER = ["pidnet_s", "ddrnet23_slim", "bisenetv2", "fast_scnn", "cgnet"]
BACKBONES = ["dab", "erf", "enet", "resnet18", *FURTHER]
# Mean and largest magnitude, and scores [0, 0, 0], [9, 31, 63], [18, 63, 127] of the published code
# in float64 at 512x1024.
PROBES = {
    "pidnet_s": (11.0996, 41.3367, 1.9726, 8.8226, 1.8820),
    "ddrnet23_slim": (8.6435, 44.6928, 1.7086, 15.3976, -4.0165),
    "bisenetv2": (4.4390, 20.2543, -3.4372, -0.4780, -0.3962),
    "fast_scnn": (8.4405, 46.3048, 0.2284, 8.6308, -1.4762),
    "cgnet": (2.3868, 10.5129, -0.1103, 1.1894, 0.7839),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_reproduces_the_published_network(name, reference):
    published = reference(name)
    model = load_published(published.state, "full" if name == "erf-full" else None)
    built = f"{model.backbone_name}-{model.calibration_name}"
    assert built == {"erfnet-decoder": "erfnet-none"}.get(name, name)
    assert len(published.pairs) == 2
    for image, logits in published.pairs:
        with torch.no_grad():
            ours = model(image)
        assert ours.shape == logits.shape
        assert (ours - logits).abs().max() < 1e-4 * logits.abs().max()


@pytest.mark.parametrize("name", FURTHER)
def test_reproduces_the_scores_of_a_further_network(name, reference):
    published = reference(name)
    model = load_published(published.state)
    assert (model.backbone_name, model.calibration_name) == (name, "none")
    assert len(published.pairs) == 2
    with torch.no_grad():
        for image, scores in published.pairs:
            ours = model.coarse(image)
            assert ours.shape == scores.shape
            assert (ours - scores).abs().max() < 1e-4 * scores.abs().max()
        # The stored sizes are too small for a wrong stride in a pyramid to show.
        found = model.double().coarse(published.input(512, 1024).double())[0]
    probes = found[0, 0, 0], found[9, 31, 63], found[18, 63, 127]
    values = [value.item() for value in (found.abs().mean(), found.abs().max(), *probes)]
    assert values == pytest.approx(PROBES[name], abs=6e-5)


@pytest.mark.parametrize(("names", "count"), COUNTS.items())
def test_parameter_counts(names, count):
    backbone, calibration = names
    model = build_model(backbone, 19, calibration)
    assert sum(parameter.numel() for parameter in model.parameters()) == count


@pytest.mark.parametrize(("backbone", "calibration"), COUNTS)
def test_training_gives_finite_gradients_to_every_parameter(backbone, calibration, randomised):
    torch.manual_seed(0)
    model = randomised(build_model(backbone, 5, calibration)).train()
    F.cross_entropy(model(torch.randn(2, 3, 64, 96)), torch.randint(5, (2, 64, 96))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # The softmax ignores a shift of all products, so the bias of the key has no gradient.
        assert parameter.grad.any() or name == "calibration.key.bias", name


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("calibration", ["full", "pooled", "point", "local"])
def test_fresh_calibration_changes_nothing(backbone, calibration):
    calibrated = build_model(backbone, 7, calibration).eval()
    plain = build_model(backbone, 7, "none").eval()
    shared = plain.state_dict().keys()
    plain.load_state_dict({k: v for k, v in calibrated.state_dict().items() if k in shared})
    images = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        assert torch.equal(calibrated(images), plain(images))


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("size", [(64, 96), (61, 77), (33, 90)])
def test_any_size_is_padded_with_zeros_and_cropped(backbone, size, randomised):
    model = randomised(build_model(backbone, 5)).eval()
    images = torch.randn(2, 3, *size)
    height, width = (-(-length // model.stride) * model.stride for length in size)
    padded = torch.zeros(2, 3, height, width)
    padded[..., : size[0], : size[1]] = images
    with torch.no_grad():
        logits, whole, coarse = model(images), model(padded), model.coarse(images)
    assert logits.shape == (2, 5, *size)
    assert coarse.shape == (2, 5, height // model.stride, width // model.stride)
    torch.testing.assert_close(logits, whole[..., : size[0], : size[1]])


@pytest.mark.parametrize("backbone", BACKBONES)
def test_scores_and_upsample_make_up_the_forward_pass(backbone, randomised):
    model = randomised(build_model(backbone, 5)).eval()
    images = torch.randn(1, 3, 50, 70)
    with torch.no_grad():
        coarse, calibrated = model.scores(images)
        assert torch.equal(coarse, model.coarse(images))
        assert torch.equal(calibrated, model.calibration(coarse))
        assert not torch.allclose(calibrated, coarse)
        assert torch.equal(model.upsample(calibrated, (50, 70)), model(images))


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("size", [(64, 64), (17, 40)])
def test_a_batch_of_one_trains(backbone, size, randomised):
    torch.manual_seed(0)
    model = randomised(build_model(backbone, 5)).train()
    logits = model(torch.randn(1, 3, *size))
    F.cross_entropy(logits, torch.randint(5, (1, *size))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.isfinite().all(), name
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_a_single_value_is_normalised_by_the_running_statistics():
    norm = Norm(3).train()
    norm.running_mean.fill_(2.0)
    norm.running_var.fill_(4.0)
    norm.bias.data.fill_(1.0)
    values = norm(torch.full((1, 3, 1, 1), 6.0))
    torch.testing.assert_close(values, torch.full((1, 3, 1, 1), 3.0))
    assert (norm.running_mean == 2).all()
    plain = nn.BatchNorm2d(3).train()
    maps = torch.randn(2, 3, 1, 1)
    torch.testing.assert_close(Norm(3).train()(maps), plain(maps))


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (6, 12), (7, 13)])
@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_means_over_parts_as_products_are_the_adaptive_pool(size, parts):
    maps = torch.randn(2, 4, *size)
    traced = torch.jit.trace(lambda x: part_means(x, parts), torch.zeros(1, 4, 9, 10))
    torch.testing.assert_close(traced(maps), F.adaptive_avg_pool2d(maps, parts))


def test_scores_of_the_padding_are_not_calibrated(randomised):
    model = randomised(build_model("bisenetv2", 5)).eval()
    images = torch.randn(1, 3, 40, 72)
    with torch.no_grad():
        coarse, calibrated = model.scores(images)
        padded = model.coarse(F.pad(images, (0, 24, 0, 24)))
    assert coarse.shape == (1, 5, 5, 9)
    torch.testing.assert_close(coarse, padded[..., :5, :9])
    assert torch.equal(calibrated, model.calibration(coarse.clone()))


def test_lraspp_is_torchvisions():
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    theirs = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5).eval()
    ours = build_model("lraspp", 5, "none").eval()
    state = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
    ours.load_state_dict(state)
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images)["out"])


def test_the_erfnet_baseline_decodes_to_full_size_itself(randomised):
    model = randomised(build_model("erfnet", 5, "none")).train()
    images = torch.randn(2, 3, 37, 50)
    logits = model(images)
    assert logits.shape == (2, 5, 37, 50)
    assert model.coarse(images).shape == (2, 5, 40, 56)
    logits.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_upsampling_is_bilinear_between_pixel_centres():
    model = build_model("dab", 2, "none")
    logits = model.upsample(torch.tensor([[0.0, 8.0]]).expand(1, 2, 1, 2), (8, 15))
    assert logits.shape == (1, 2, 8, 15)
    ramp = ((torch.arange(15) + 0.5) / 8 - 0.5).clamp(0, 1) * 8
    torch.testing.assert_close(logits[0, 0, 3], ramp)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_channels_last_gives_the_same_logits(backbone, randomised):
    # In float64: gates magnify what another order of summing changes in float32.
    model = randomised(build_model(backbone, 5)).eval().double()
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        truth = model(images)
        model = model.to(memory_format=torch.channels_last)
        ours = model(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(ours, truth, rtol=1e-9, atol=1e-9 * truth.abs().max().item())


def test_dropout_is_where_the_published_networks_have_it():
    def rates(backbone):
        modules = build_model(backbone, 5, "none").modules()
        return [module.p for module in modules if isinstance(module, nn.Dropout2d)]

    assert rates("erf") == rates("erfnet") == [0.03] * 5 + [0.3] * 8
    assert rates("dab") == rates("enet") == rates("resnet18") == rates("pidnet_s") == []
    for backbone in ("bisenetv2", "fast_scnn"):
        layers = build_model(backbone, 5, "none").modules()
        assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.1]


def test_initialisation_is_the_published_one():
    torch.manual_seed(0)
    model = build_model("dab")
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            fan_in = module.weight[0].numel()
            std = (2 / fan_in) ** 0.5
            assert module.weight.std().item() == pytest.approx(std, rel=0.05)
            assert module.weight.abs().max() > 3 * std  # normal; a uniform one ends at 1.73
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
            assert (module.bias == 0).all()
        elif isinstance(module, nn.PReLU):
            assert (module.weight == 0.25).all()
    assert model.calibration.gamma.tolist() == [0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "vgg"}, r"unknown backbone 'vgg'; choose one of dab"),
        (
            {"calibration": "half"},
            r"unknown calibration 'half'; choose one of none, full, pooled, point, local",
        ),
        ({"num_classes": 1}, r"num_classes is 1"),
        ({"backbone": "erfnet"}, r"erfnet has no coarse scores to calibrate"),
    ],
)
def test_unknown_names_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        build_model(**arguments)


@pytest.mark.parametrize(
    ("calibration", "size"), [("pooled", (8, 64)), ("pooled", (64, 5)), ("none", (0, 8))]
)
def test_too_small_images_are_refused(calibration, size):
    model = build_model("dab", 3, calibration)
    with pytest.raises(InputError, match=f"{size[0]}x{size[1]} pixels are too small"):
        model(torch.zeros(1, 3, *size))


@pytest.mark.parametrize(
    ("calibration", "size"),
    [("pooled", 9), ("full", 1), ("point", 1), ("local", 1), ("edge", 1), ("none", 1)],
)
def test_the_smallest_images_work(calibration, size):
    model = build_model("dab", 3, calibration).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, size, size)).shape == (1, 3, size, size)


def test_params_name_exactly_the_networks_there_are():
    assert get_args(schema.Backbone) == tuple(BACKBONES)
    assert get_args(schema.Baseline) == ("erfnet", "lraspp")
    assert set(network.NETWORKS) == {*BACKBONES, "erfnet", "lraspp"}
    assert get_args(schema.CalibrationName) == ("none", "full", "pooled", "point", "local", "edge")


def test_a_network_is_one_file_and_one_line(tmp_path, monkeypatch):
    (tmp_path / "mini.py").write_text(
        "from torch import nn\n"
        "class Mini(nn.Sequential):\n"
        "    stride, out_channels = 8, 5\n"
        "    def __init__(self):\n"
        "        super().__init__(nn.Conv2d(3, 5, 8, 8))\n"
        "    def classifier(self, num_classes):\n"
        "        return nn.Conv2d(5, num_classes, 1)\n"
    )
    monkeypatch.setattr(backbones, "__path__", [*backbones.__path__, str(tmp_path)])
    monkeypatch.setitem(network.NETWORKS, "mini", "Mini")
    logits = build_model("mini", 7, "pooled")(torch.zeros(1, 3, 33, 40))
    assert logits.shape == (1, 7, 33, 40)


# Not erfnet, which decodes the features of its stride itself.
@pytest.mark.parametrize("backbone", [*schema.BACKBONES, "lraspp"])
def test_a_backbone_gives_the_channels_and_the_stride_that_it_names(backbone):
    named = build_model(backbone, 5, "none").eval().backbone
    with torch.no_grad():
        features = named(torch.zeros(1, 3, 128, 192))
    assert features.shape == (1, named.out_channels, 128 // named.stride, 192 // named.stride)
