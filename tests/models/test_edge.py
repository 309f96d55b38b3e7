import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from eacnet.models import build_model, load_model, save_model
from eacnet.models.complexity import complexity
from eacnet.models.edge import LEAST, Edge
from eacnet.training.fingerprint import PACKAGE, source_digest

K, GUIDE = 3, 36


def drawn(dtype=torch.float32):
    torch.manual_seed(0)
    layer = Edge(K).to(dtype)
    for parameter in (layer.weight, layer.bias):
        nn.init.uniform_(parameter, -0.5, 0.5)
    return layer


def pixel(scores, logits, row, column):
    """One new score vector (K,) of scores (K,h,w) that are re-weighted already, in plain Python."""
    height, width = scores.shape[1:]
    y, x = row // 2, column // 2
    # Where the new centre lies in the coarse grid, and how far from each neighbour's centre.
    at = (row + 0.5) / 2 - 0.5, (column + 0.5) / 2 - 0.5
    near = list(itertools.product((y - 1, y, y + 1), (x - 1, x, x + 1)))
    linear = [max(0, 1 - abs(at[0] - j)) * max(0, 1 - abs(at[1] - i)) for j, i in near]
    prior = [max(each, LEAST) for each in linear]
    prior = [each / sum(prior) for each in prior]
    new = (row % 2) * 2 + column % 2
    powers = [share * math.exp(logits[new * 9 + n, y, x]) for n, share in enumerate(prior)]
    mixed = np.zeros(len(scores))
    for power, share, base, (j, i) in zip(powers, prior, linear, near, strict=True):
        weight = power / sum(powers) - share + base
        mixed += weight * scores[:, min(max(j, 0), height - 1), min(max(i, 0), width - 1)]
    return mixed


def test_equals_its_formula_pixel_by_pixel():
    layer = drawn(torch.float64)
    evidence = torch.randn(1, K + GUIDE, 3, 4, dtype=torch.float64)
    with torch.no_grad():
        ours = layer(evidence)[0].numpy()
        weight = layer.weight[:, :, 0, 0].numpy()
    scores, logits = np.split(evidence[0].numpy(), [K])
    added = np.einsum("oi,ihw->ohw", weight, scores) + layer.bias.detach().numpy()[:, None, None]
    assert ours.shape == (K, 6, 8)
    for row, column in itertools.product(range(6), range(8)):
        truth = pixel(scores + added, logits, row, column)
        np.testing.assert_allclose(ours[:, row, column], truth, rtol=1e-9)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (45, 60)])
def test_a_fresh_one_interpolates_bilinearly(size):
    evidence = torch.randn(2, 11 + GUIDE, *size)
    layer = build_model("dab", 11, "edge").calibration.eval()
    evidence[:, 11:] = layer.guide(60 * torch.randn(2, 3, *(8 * side for side in size)))
    scores = evidence[:, :11]
    truth = F.interpolate(scores, scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(layer(evidence), truth)


def test_the_image_can_choose_any_neighbour():
    evidence = torch.zeros(1, K + GUIDE, 5, 5)
    evidence[:, :K] = torch.randn(1, K, 5, 5)
    for new, neighbour in itertools.product(range(4), range(9)):
        sharp = evidence.clone()
        sharp[0, K + 9 * new + neighbour] = 40
        ours = Edge(K)(sharp)[..., new // 2 :: 2, new % 2 :: 2]
        rows, columns = divmod(neighbour, 3)
        chosen = F.pad(evidence[:, :K], (1, 1, 1, 1), mode="replicate")
        chosen = chosen[..., rows : rows + 5, columns : columns + 5]
        # Besides the chosen one, what bilinear interpolation and the prior differ by: little.
        assert (ours - chosen).abs().max() < 8 * LEAST * evidence[:, :K].abs().max()


def test_gradcheck():
    layer = drawn(torch.float64)
    evidence = torch.randn(1, K + GUIDE, 2, 3, dtype=torch.float64, requires_grad=True)
    own = (layer.weight, layer.bias)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (evidence, *own))


def test_compiled_it_trains_the_same():
    layer = drawn()
    evidence = torch.randn(2, K + GUIDE, 9, 12).to(memory_format=torch.channels_last)
    evidence.requires_grad_()
    towards = torch.randn(2, K, 18, 24)
    results = []
    for calibrate in (layer, torch.compile(layer)):
        calibrated = calibrate(evidence)
        (gradient,) = torch.autograd.grad(calibrated, evidence, towards)
        results.append((calibrated, gradient))
    for ours, truth in zip(*results, strict=True):
        torch.testing.assert_close(ours, truth, rtol=1e-5, atol=1e-5)


def test_the_guide_sees_the_pixels_of_its_position():
    guide = build_model("dab", K, "edge").eval().calibration.guide
    nn.init.normal_(guide[-1].weight)
    images = torch.randn(1, 3, 96, 128, requires_grad=True)
    (seen,) = torch.autograd.grad(guide(images)[0, :, 5, 7].sum(), images)
    rows, columns = (seen.abs().sum((0, 1, axis)) for axis in (3, 2))
    for weight, at in ((rows, 5), (columns, 7)):
        centre = (weight * torch.arange(len(weight))).sum() / weight.sum()
        assert 8 * at <= centre <= 8 * at + 7


@pytest.mark.parametrize("backbone", ["dab", "resnet18", "bisenetv2", "fast_scnn"])
@pytest.mark.parametrize("size", [(64, 96), (61, 77)])
def test_the_coarse_scores_are_those_without_it(backbone, size, randomised):
    model = randomised(build_model(backbone, 5, "edge")).eval()
    plain = build_model(backbone, 5, "none").eval()
    plain.load_state_dict({k: model.state_dict()[k] for k in plain.state_dict()})
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        coarse, calibrated = model.scores(images)
        assert torch.equal(coarse, plain.coarse(images))
        assert torch.equal(coarse, model.coarse(images))
        rows, columns = coarse.shape[-2:]
        assert calibrated.shape == (2, 5, 2 * rows, 2 * columns)
        step = model.stride // 2
        logits = F.interpolate(calibrated, scale_factor=step, mode="bilinear", align_corners=False)
        assert torch.equal(model(images), logits[..., : size[0], : size[1]])


def test_other_strides_are_refused(monkeypatch):
    from eacnet.errors import InputError
    from eacnet.models.backbones.dab import DAB

    monkeypatch.setattr(DAB, "stride", 4)
    with pytest.raises(InputError, match=r"edge takes scores that are 8 pixels.*dab are 4 apart"):
        build_model("dab", 5, "edge")


def test_products_by_hand():
    edge, point = (complexity(build_model("dab", K, how), 64, 96) for how in ("edge", "point"))
    half, quarter, eighth = 32 * 48, 16 * 24, 8 * 12
    guide = 27 * 16 * half + 9 * (16 * 32 + 32 * 32) * quarter + 16 * 32 * 36 * eighth
    assert edge.macs - point.macs == guide + 36 * K * eighth
    assert edge.attention_macs == 0


def test_a_file_of_it_whose_images_are_divided_starts_the_same(tmp_path, network):
    from eacnet.pretrained.start import initial_model

    model = network("dab", "edge", std=(2.0, 3.0, 4.0))
    card = vars(model.card) | {"classes": model.card.classes}
    card.pop("align_corners")
    save_model(model, tmp_path / "net.safetensors", **card)
    loaded = load_model(tmp_path / "net.safetensors")
    start, _ = initial_model(
        "dab", "edge", card["classes"], card["mean"], str(tmp_path / "net.safetensors")
    )
    images = 60 * torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        truth = loaded.evidence(images / torch.tensor(card["std"]).view(3, 1, 1))
        ours = start.eval().evidence(images)
    torch.testing.assert_close(ours, truth, rtol=1e-3, atol=1e-3 * truth.abs().max().item())


def test_its_file_is_part_of_its_fingerprint_alone(tmp_path):
    import shutil

    package = shutil.copytree(PACKAGE, tmp_path / "eacnet")
    before = [source_digest("dab", how, package=package) for how in ("edge", "point")]
    file = package / "models/edge.py"
    file.write_text(file.read_text().replace("LEAST = 0.02", "LEAST = 0.03"))
    after = [source_digest("dab", how, package=package) for how in ("edge", "point")]
    assert after[0] != before[0]
    assert after[1] == before[1]
