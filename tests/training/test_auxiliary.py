import pytest
import torch
import torch.nn.functional as F

from eacnet.config.names import AUXILIARY, BACKBONES
from eacnet.models import build_model, load_model, save_model
from eacnet.models.backbones.layers import Auxiliary
from eacnet.models.network import make_backbone
from eacnet.training.auxiliary import boundaries, boundary_loss, with_auxiliary
from eacnet.training.loop import Objective
from eacnet.training.losses import CrossEntropy, OhemCrossEntropy

# Parameters of the published heads at K=19, by hand: 3x3 and 1x1 convolutions, norms, biases.
PIDNET = (128 + 64 * 128 * 9 + 256 + 128 * 19 + 19) + (128 + 64 * 32 * 9 + 64 + 32 + 1)
DDRNET = 128 + 64 * 64 * 9 + 128 + 64 * 19 + 19
BISENET = sum(
    c * 128 * 9 + 256 + 128 * f * f * 9 + 2 * f * f + f * f * 19 + 19
    for c, f in ((16, 4), (32, 8), (64, 16), (128, 32))
)
FAST_SCNN = 64 * 32 * 9 + 64 + 32 * 19 + 19
HEADS = dict(zip(AUXILIARY, (PIDNET, DDRNET, BISENET, FAST_SCNN), strict=True))


def test_the_table_names_those_that_have_heads():
    having = [name for name in BACKBONES if hasattr(make_backbone(name), "auxiliary")]
    assert having == list(AUXILIARY)


@pytest.mark.parametrize("backbone", AUXILIARY)
def test_heads_train_with_the_network_and_leave_it_as_it_is(backbone, tmp_path):
    torch.manual_seed(0)
    model = build_model(backbone, 19, "none")
    plain = build_model(backbone, 19, "none").eval()
    plain.load_state_dict(model.state_dict())
    model.add_auxiliary()
    assert sum(value.numel() for value in model.auxiliary.parameters()) == HEADS[backbone]

    images = torch.randn(2, 3, 61, 90)
    with torch.no_grad():
        logits, others = model.eval().with_auxiliary(images)
        assert torch.equal(logits, plain(images))
        assert torch.equal(model(images), logits)
    assert {each.shape[-2:] for each in others.values()} == {(61, 90)}

    pixels = torch.randint(256, (2, 61, 90, 3), dtype=torch.uint8)
    labels = torch.randint(19, (2, 61, 90), dtype=torch.uint8)
    Objective(model.train(), CrossEntropy(None), [128.0] * 3)(pixels, labels).backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name

    classes = [{"name": str(k), "category": "", "color": [k, k, k]} for k in range(19)]
    save_model(model, tmp_path / "m.safetensors", classes=classes, mean=[0.0] * 3, std=[1.0] * 3)
    loaded = load_model(tmp_path / "m.safetensors")
    assert loaded.state_dict().keys() == plain.state_dict().keys()
    assert loaded.auxiliary is None


def test_the_sum_by_hand():
    torch.manual_seed(0)
    logits, first, edge = torch.randn(1, 3, 8, 9), torch.randn(1, 3, 8, 9), torch.randn(1, 1, 8, 9)
    labels = torch.randint(3, (1, 8, 9))
    labels[0, 0, 0] = 255
    heads = Auxiliary({}, {"first": 0.4, "edge": 20.0}, mined=False)
    loss = OhemCrossEntropy(None, 0.7, 0.1)
    found = with_auxiliary(loss, heads, logits, {"first": first, "edge": edge}, labels)
    sure = labels.masked_fill(edge[:, 0].sigmoid() <= 0.8, 255)
    parts = loss(logits, labels) + loss(logits, sure)
    parts = parts + 0.4 * F.cross_entropy(first, labels, ignore_index=255)
    torch.testing.assert_close(found, parts + 20 * boundary_loss(edge, boundaries(labels)))
    heads.mined = True
    found = with_auxiliary(loss, heads, logits, {"first": first}, labels)
    torch.testing.assert_close(found, loss(logits, labels) + 0.4 * loss(first, labels))


def test_boundaries_reach_two_pixels_to_either_side():
    labels = torch.zeros(1, 5, 12, dtype=torch.int64)
    labels[..., 6:] = 4
    assert boundaries(labels)[0, 0].tolist() == [[0.0] * 4 + [1.0] * 4 + [0.0] * 4] * 5
    assert not boundaries(torch.full((1, 6, 6), 255)).any()


def test_boundary_loss_by_hand():
    scores, truth = torch.tensor([2.0, -1.0, 0.5, 0.0]), torch.tensor([1.0, 0.0, 0.0, 0.0])
    losses = torch.tensor([F.softplus(torch.tensor(-2.0)), *F.softplus(scores[1:])])
    expected = (losses * torch.tensor([0.75, 0.25, 0.25, 0.25])).mean()
    shape = (1, 1, 2, 2)
    torch.testing.assert_close(boundary_loss(scores.view(shape), truth.view(shape)), expected)
