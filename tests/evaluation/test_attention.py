import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import entr
from torch import nn

from eacnet.data.frames import Frames
from eacnet.evaluation.attention import analyse, attention_map, reach
from eacnet.models import build_model
from eacnet.models.attention import Full, Pooled

MODES = pytest.mark.parametrize("kind", [Pooled, Full])


def drawn(num_classes, kind):
    torch.manual_seed(0)
    calibration = kind(num_classes).double()
    nn.init.constant_(calibration.gamma, 0.7)
    return calibration


def written_out(calibration, scores):
    """The whole attention matrix, (B, queries, keys)."""
    context = F.max_pool2d(scores, 2) if isinstance(calibration, Pooled) else scores
    query, key = calibration.query(scores).flatten(2), calibration.key(context).flatten(2)
    return torch.softmax(torch.einsum("bkn,bkm->bnm", query, key), dim=-1)


def distances(height, width, kind, stride):
    """Between all centres of query and key cells, by the formula for each pair."""
    pooled = kind is Pooled
    step = 2 * stride if pooled else stride
    rows, columns = (height // 2, width // 2) if pooled else (height, width)
    return np.array(
        [
            [
                math.hypot(
                    (y + 0.5) * stride - (v + 0.5) * step, (x + 0.5) * stride - (u + 0.5) * step
                )
                for v in range(rows)
                for u in range(columns)
            ]
            for y in range(height)
            for x in range(width)
        ]
    )


@MODES
@pytest.mark.parametrize("block", [1, 100, 10**6])
def test_entropy_and_distance_of_the_matrix_written_out(kind, block):
    calibration = drawn(5, kind)
    scores = 3 * torch.randn(2, 5, 7, 6, dtype=torch.float64)
    found = reach(calibration, scores, 8, block)
    attention = written_out(calibration, scores).detach().numpy()
    apart = distances(7, 6, kind, 8)
    entropy = entr(attention).sum(-1)
    np.testing.assert_allclose(found.entropy.flatten(1), entropy, rtol=1e-10)
    expected = (attention * apart).sum(-1)
    np.testing.assert_allclose(found.distance.flatten(1), expected, rtol=1e-10)
    np.testing.assert_allclose(found.uniform.flatten(), apart.mean(-1), rtol=1e-10)
    assert found.keys == attention.shape[-1]


@MODES
def test_a_map_is_a_row_of_the_matrix(kind):
    calibration = drawn(5, kind)
    scores = torch.randn(1, 5, 7, 6, dtype=torch.float64)
    shown = attention_map(calibration, scores, 4, 2)
    assert shown.shape == ((3, 3) if kind is Pooled else (7, 6))
    truth = written_out(calibration, scores)[0, 4 * 6 + 2]
    torch.testing.assert_close(shown.flatten(), truth.detach())


@MODES
def test_uniform_attention_has_the_greatest_entropy_and_the_distance_of_all(kind):
    calibration = drawn(3, kind)
    nn.init.zeros_(calibration.query.weight)
    nn.init.zeros_(calibration.query.bias)
    found = reach(calibration, torch.randn(1, 3, 4, 6, dtype=torch.float64), 16)
    greatest = math.log(6 if kind is Pooled else 24)
    assert found.entropy.flatten().tolist() == pytest.approx([greatest] * 24)
    torch.testing.assert_close(found.distance[0], found.uniform)


def test_sharp_attention_in_float32_has_no_entropy():
    calibration = drawn(2, Full).float()
    for conv in (calibration.query, calibration.key):
        conv.weight.data = 300 * torch.eye(2)[..., None, None]
        nn.init.zeros_(conv.bias)
    scores = torch.zeros(1, 2, 1, 2)
    scores[0, 0, 0, 0] = scores[0, 1, 0, 1] = 1.0  # each position attends to itself alone
    found = reach(calibration, scores, 8)
    assert found.entropy.abs().max() < 1e-30
    assert found.distance.abs().max() < 1e-30


def network(calibration="pooled", gamma=0.5):
    torch.manual_seed(0)
    model = build_model("dab", 4, calibration)
    nn.init.constant_(model.calibration.gamma, gamma)
    nn.init.normal_(model.calibration.query.weight, std=1e-3)  # fresh scores are in the hundreds
    return model.eval()


def frames(number=3):
    return np.random.default_rng(0).integers(256, size=(number, 32, 48, 3), dtype=np.uint8)


@torch.no_grad()
def test_the_facts_of_a_split_follow_from_the_written_out_matrix():
    model, images = network(), frames()
    facts = analyse(model, images, list("abcd"), mean=[9.0] * 3, device="cpu", batch=2)
    inputs = torch.from_numpy(images).float().permute(0, 3, 1, 2) - 9
    coarse, calibrated = model.scores(inputs)
    attention = written_out(model.calibration, coarse).double().numpy()
    entropy = entr(attention).sum(-1)
    apart = distances(4, 6, Pooled, 8)
    distance = (attention * apart).sum(-1)
    assert facts["positions"] == {"height": 4, "width": 6, "keys": 6}
    assert facts["frames"] == 3
    assert facts["gamma"] == 0.5
    assert facts["entropy_nats"] == pytest.approx(entropy.mean(), abs=1e-4)
    assert facts["entropy_share"] == pytest.approx(entropy.mean() / math.log(6), abs=1e-4)
    assert facts["distance_px"] == pytest.approx(distance.mean(), abs=0.01)
    assert facts["distance_px_uniform"] == pytest.approx(apart.mean(), abs=0.01)
    winner = coarse.argmax(1).flatten(1).numpy()
    assert len(np.unique(winner)) > 1
    for index, name in enumerate("abcd"):
        there = winner == index
        if not there.any():
            assert facts["per_class"][name] is None
            continue
        assert facts["per_class"][name]["positions"] == pytest.approx(there.mean(), abs=1e-4)
        assert facts["per_class"][name]["distance_px"] == pytest.approx(
            distance[there].mean(), abs=0.01
        )
    added = (calibrated - coarse).numpy()
    added = added - added.mean(1, keepdims=True)
    alike = added.mean((2, 3)) ** 2
    assert facts["change"] == pytest.approx(np.sqrt((added**2).mean()), rel=1e-4)
    assert facts["change_everywhere_alike"] == pytest.approx(
        alike.mean() / (added**2).mean(), abs=1e-3
    )


def test_frames_of_several_sizes_count_by_their_own_grid():
    small, large = (
        frames(2),
        np.random.default_rng(1).integers(256, size=(1, 64, 48, 3), dtype="u1"),
    )
    flat = np.concatenate([images.reshape(-1, 3) for images in (small, large)])
    mixed = Frames(flat, np.array([[32, 48], [32, 48], [64, 48]]))
    facts = analyse(network(), mixed, list("abcd"), mean=[9.0] * 3, device="cpu")
    apart = [
        analyse(network(), some, list("abcd"), mean=[9.0] * 3, device="cpu")
        for some in (small, large)
    ]
    counts = np.array([2 * 4 * 6, 8 * 6])
    entropy, most = np.array([one["entropy_nats"] for one in apart]), np.log([2 * 3, 4 * 3])
    assert facts["entropy_nats"] == pytest.approx(entropy @ counts / counts.sum(), abs=2e-4)
    assert facts["entropy_share"] == pytest.approx(entropy @ counts / (most @ counts), abs=2e-4)
    assert facts["positions"] == {"height": 8, "width": 6, "keys": 12, "sizes": 2}


def test_a_calibration_that_changes_nothing():
    facts = analyse(network(gamma=0), frames(1), list("abcd"), mean=[0.0] * 3, device="cpu")
    assert (facts["change"], facts["change_everywhere_alike"]) == (0.0, None)


@pytest.mark.parametrize("calibration", ["none", "point", "local", "edge"])
def test_where_there_is_no_attention_there_is_nothing_to_analyse(calibration):
    model = build_model("dab", 4, calibration)
    facts = analyse(model, frames(1), list("abcd"), mean=[0.0] * 3, device="cpu")
    assert facts == {"calibration": calibration}
