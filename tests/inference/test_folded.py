import pytest
import torch
from torch import nn

from eacnet.inference.folded import Deployed, folded
from eacnet.inference.label_map import label_map

CASES = [
    *[(b, c) for b in ("dab", "erf", "enet", "resnet18") for c in ("none", "full", "pooled")],
    ("erfnet", "none"),
]


@pytest.mark.parametrize("backbone", ["dab", "erf", "enet", "resnet18", "erfnet"])
@pytest.mark.parametrize("std", [(1.0, 1.0, 1.0), (50.0, 60.0, 70.0)])
def test_the_deployed_network_gives_the_scores_of_the_plain_one(network, pixels, backbone, std):
    model = network(backbone, "none", std=std)
    image = pixels(41, 70, 2)
    mean = torch.tensor(model.card.mean)
    with torch.no_grad():
        plain = model.coarse(((image - mean) / torch.tensor(std)).permute(0, 3, 1, 2))
        ours = Deployed(model)(image)
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5 * plain.abs().max().item())


@pytest.mark.parametrize(
    "backbone", ["pidnet_s", "ddrnet23_slim", "bisenetv2", "fast_scnn", "cgnet", "lraspp"]
)
def test_folding_is_exact_where_gates_amplify_rounding(network, pixels, backbone):
    """In float64: drawn weights magnify float32's rounding up to a thousandfold."""
    model = network(backbone, "none").double()
    whole = nn.Sequential(model.backbone, model.classifier)
    images = pixels(64, 96, 2).permute(0, 3, 1, 2).double() - 128
    with torch.no_grad():
        ours, plain = folded(whole)(images), whole(images)
    torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9 * plain.abs().max().item())


@pytest.mark.parametrize("backbone", ["bisenetv2", "fast_scnn"])
@pytest.mark.parametrize("size", [(41, 70), (9, 33)])
def test_scores_of_the_padding_are_cut_off(network, pixels, backbone, size):
    model = network(backbone, "none")
    image = pixels(*size, 2)
    with torch.no_grad():
        plain = model.coarse((image - torch.tensor(model.card.mean)).permute(0, 3, 1, 2))
        ours = Deployed(model)(image)
    assert ours.shape[-2:] == tuple(-(-length // 8) for length in size)
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5 * plain.abs().max().item())


# Norms of the pyramid come before their convolutions, as does that of the classifier; so do those
# of fusions in CGNet, and the one of the mean in BiSeNetV2.
APART = {"pidnet_s": 8 + 1, "ddrnet23_slim": 11 + 1, "bisenetv2": 1, "fast_scnn": 0, "cgnet": 3}


@pytest.mark.parametrize(("backbone", "apart"), APART.items())
def test_the_norms_that_follow_a_convolution_are_folded(network, backbone, apart):
    model = network(backbone, "none")
    modules = list(folded(nn.Sequential(model.backbone, model.classifier)).modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in modules)
    assert sum(type(module).__name__ == "ScaleShift" for module in modules) == apart


@pytest.mark.parametrize("backbone", ["dab", "erf", "enet", "resnet18", "erfnet"])
def test_no_batch_norm_is_left_and_none_that_follows_a_convolution_stays_apart(network, backbone):
    model = network(backbone, "none")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modules = list(folded(model.backbone).modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in modules)
    apart = sum(type(module).__name__ == "ScaleShift" for module in modules)
    # Norms before a convolution: 9 modules x 2 and 3 fusions in DAB, and the max-pools' share.
    assert apart == {"dab": 9 * 2 + 3 + 1, "erf": 3, "erfnet": 3}.get(backbone, 0)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(("stride", "rows", "columns"), [(8, 7, 9), (16, 5, 3), (8, 1, 1)])
@pytest.mark.parametrize("strip", [1, 3 * 5 * 72 * 64, 1 << 30])
def test_label_map_is_that_of_whole_planes(monkeypatch, stride, rows, columns, strip):
    monkeypatch.setattr("eacnet.inference.label_map.STRIP", strip)
    scores = torch.randn(2, 5, rows, columns, generator=torch.Generator().manual_seed(1))
    for cut in (0, stride - 1):
        size = rows * stride - cut, columns * stride - cut
        planes = nn.functional.interpolate(
            scores, scale_factor=float(stride), mode="bilinear", align_corners=False
        )
        truth = planes.argmax(1)[:, : size[0], : size[1]]
        labels = label_map(scores, size, stride)
        assert labels.dtype == torch.uint8
        assert torch.equal(labels, truth.to(torch.uint8))


def test_label_map_of_scores_at_full_size():
    scores = torch.randn(2, 5, 16, 24)
    assert torch.equal(label_map(scores, (13, 20), 8), scores.argmax(1)[:, :13, :20].byte())
