import pytest
import torch

from eacnet.errors import InputError
from eacnet.models import build_model
from eacnet.models.complexity import complexity

K = 19


def dab_convolutions(height, width):
    """Multiply-accumulates of DABNet's convolutions, layer by layer: out x in x kernel x pixels."""
    half, quarter, eighth = (height * width // step**2 for step in (2, 4, 8))
    stem = (3 + 32 + 32) * 32 * 9 * half

    def module(channels, pixels):
        inner = channels // 2
        depthwise = 2 * (3 + 3) * inner  # two branches of 3x1 and 1x3
        return (channels * inner * 9 + depthwise + inner * channels) * pixels

    down1, down2 = 35 * 29 * 9 * quarter, 131 * 128 * 9 * eighth
    blocks = 3 * module(64, quarter) + 6 * module(128, eighth)
    return stem + down1 + down2 + blocks + 259 * K * eighth


@pytest.mark.parametrize(("height", "width"), [(512, 1024), (360, 480), (1024, 2048)])
def test_dab_pooled_by_hand(height, width):
    cost = complexity(build_model("dab", K, "pooled"), height, width)
    h, w = height // 8, width // 8
    queries, keys = h * w, (h // 2) * (w // 2)
    attention = 2 * queries * keys * K  # query x key, attention x value
    projections = K * K * (queries + 2 * keys)
    assert cost.attention_macs == attention
    assert cost.macs == dab_convolutions(height, width) + projections + attention
    assert cost.parameters == 757_784


@pytest.mark.parametrize(
    ("backbone", "giga"),
    [
        ("pidnet_s", 47.2),
        ("ddrnet23_slim", 36.3),
        ("bisenetv2", 98.4),
        ("fast_scnn", 6.7),
        ("cgnet", 27.0),
    ],
)
def test_further_networks_cost_what_is_known_of_them(backbone, giga):
    cost = complexity(build_model(backbone, K, "none"), 1024, 2048)
    assert round(cost.macs / 1e9, 1) == giga
    assert cost.attention_macs == 0


@pytest.mark.parametrize("backbone", ["pidnet_s", "bisenetv2", "fast_scnn", "cgnet", "lraspp"])
def test_every_convolution_is_counted(backbone):
    """Against the sum over layers: output values x inputs of one of them."""
    model = build_model(backbone, K, "none").eval()
    counted = []

    def count(layer, inputs, output):
        counted.append(output[0].numel() * layer.weight[0].numel())

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, 64, 96))
    assert complexity(model, 64, 96).macs == sum(counted)


def test_full_attention_by_hand():
    full, none = (complexity(build_model("dab", K, how), 64, 96) for how in ("full", "none"))
    queries = 8 * 12
    assert full.attention_macs == 2 * queries**2 * K
    assert full.macs - none.macs == full.attention_macs + 3 * queries * K * K
    assert none.attention_macs == 0


@pytest.mark.parametrize(("calibration", "taps"), [("point", 1), ("local", 9)])
def test_controls_by_hand(calibration, taps):
    control, none = (
        complexity(build_model("dab", K, how), 64, 96) for how in (calibration, "none")
    )
    assert control.macs - none.macs == 8 * 12 * K * K * taps
    assert control.attention_macs == 0


def test_a_decoder_by_hand():
    """ERFNet's decoder over the same encoder: three transposed convolutions and four blocks."""
    encoder, erfnet = (
        complexity(build_model(name, K, "none"), 64, 128) for name in ("erf", "erfnet")
    )
    eighth, quarter, half = 8 * 16, 16 * 32, 32 * 64
    ups = 128 * 64 * 9 * eighth + 64 * 16 * 9 * quarter + 16 * K * 4 * half
    blocks = 2 * 4 * 3 * (64 * 64 * quarter + 16 * 16 * half)
    assert erfnet.macs - encoder.macs == ups + blocks - 128 * K * eighth


def test_other_sizes_cost_what_they_are_padded_to():
    model = build_model("dab", K, "pooled")
    assert complexity(model, 57, 61) == complexity(model, 64, 64)
    with pytest.raises(InputError, match="too small"):
        complexity(model, 8, 64)


def test_counting_leaves_the_network_and_the_random_numbers_alone():
    model = build_model("enet", K, "none").train()
    before = torch.get_rng_state()
    complexity(model, 64, 64)
    assert model.training
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.gpu
def test_kernels_that_pad_the_classes_change_nothing():
    model = build_model("dab", K, "pooled")
    assert complexity(model, 64, 128) == complexity(model.cuda(), 64, 128)
