import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from eacnet.config.names import CALIBRATIONS
from eacnet.models import attention, build_model
from eacnet.models.attention import Attention, Full, Local, Point, Pooled, attend

ATTENTIONS = pytest.mark.parametrize("kind", [Pooled, Full])
KINDS = pytest.mark.parametrize("kind", [Pooled, Full, Point, Local])


def by_formula(calibration, scores):
    """The calibration as its formula reads, by other operations than the class."""
    if not isinstance(calibration, Attention):
        sides = calibration.weight.shape[-1]
        windows = F.unfold(scores, sides, padding=sides // 2)
        added = torch.einsum("oi,bip->bop", calibration.weight.flatten(1), windows)
        return scores + added.reshape(scores.shape) + calibration.bias.view(1, -1, 1, 1)
    context = F.max_pool2d(scores, 2) if isinstance(calibration, Pooled) else scores
    query = calibration.query(scores).flatten(2)
    key = calibration.key(context).flatten(2)
    value = calibration.value(context).flatten(2)
    attention = torch.softmax(torch.einsum("bkn,bkm->bnm", query, key), dim=-1)
    attended = torch.einsum("bnm,bkm->bkn", attention, value).reshape(scores.shape)
    return calibration.gamma * attended + scores


def drawn(kind, num_classes, dtype=torch.float32):
    torch.manual_seed(0)
    calibration = kind(num_classes).to(dtype)
    for parameter in calibration.parameters():
        if not parameter.any():
            nn.init.uniform_(parameter, 0.5, 1)
    return calibration


@KINDS
@pytest.mark.parametrize("form", ["forward", "written_out"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(2, 19, 45, 60), (1, 11, 7, 5)])
def test_equals_the_formula_forward_and_backward(kind, form, layout, size):
    calibration = drawn(kind, size[1])
    scores = (2 * torch.randn(size)).to(memory_format=layout).requires_grad_()
    inputs = (scores, *calibration.parameters())
    towards = torch.randn(size)

    ours, truth = getattr(calibration, form)(scores), by_formula(calibration, scores)
    torch.testing.assert_close(ours, truth, rtol=1e-4, atol=1e-4)
    ours = torch.autograd.grad(ours, inputs, towards)
    truth = torch.autograd.grad(truth, inputs, towards)
    # One scale for all: the key's bias shifts all products alike, its true gradient is zero.
    scale = max(gradient.abs().max().item() for gradient in truth)
    for mine, theirs in zip(ours, truth, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4 * scale)


@KINDS
def test_gradcheck(kind):
    calibration = drawn(kind, 3, torch.float64)
    scores = torch.randn(1, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    parameters = tuple(calibration.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: calibration(x), (scores, *parameters))


@ATTENTIONS
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_takes_the_fused_kernel_of_the_cpu(kind, layout):
    calibration = drawn(kind, 19)
    scores = torch.randn(2, 19, 9, 8).to(memory_format=layout).requires_grad_()
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):  # raises where the kernel is not eligible
        calibration(scores).sum().backward()


@pytest.mark.gpu
@ATTENTIONS
def test_takes_a_fused_kernel_on_cuda_and_agrees_with_the_cpu(kind):
    calibration = drawn(kind, 19)
    scores = torch.randn(2, 19, 45, 60)
    truth = calibration(scores)
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]):
        ours = calibration.cuda()(scores.cuda())
    torch.testing.assert_close(ours.cpu(), truth, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", [name for name in CALIBRATIONS if name != "edge"])
def test_a_fresh_one_changes_nothing(name):
    scores = torch.randn(1, 19, 6, 6)
    assert torch.equal(build_model("dab", 19, name).calibration(scores), scores)


@pytest.mark.parametrize(("kind", "count"), [(Point, 132), (Local, 1_100), (Pooled, 397)])
def test_parameters_at_eleven_classes(kind, count):
    assert sum(parameter.numel() for parameter in kind(11).parameters()) == count


@KINDS
@pytest.mark.parametrize("size", [(2, 2), (7, 12)])
def test_macs_are_those_of_its_written_out_form(kind, size):
    with FlopCounterMode(display=False) as counter:
        drawn(kind, 5).written_out(torch.randn(1, 5, *size))
    by_operator = counter.get_flop_counts()["Global"]
    convolutions = by_operator[torch.ops.aten.convolution] // 2
    total = sum(by_operator.values()) // 2
    assert kind.macs(5, *size) == (total, total - convolutions)


@KINDS
def test_smallest_is_the_least_size_that_works(kind):
    least = kind.smallest
    assert kind(3)(torch.zeros(1, 3, least, least)).shape == (1, 3, least, least)
    if least > 1:
        with pytest.raises(RuntimeError):
            kind(3)(torch.zeros(1, 3, least - 1, least))


def test_a_calibration_is_one_class_and_one_line(monkeypatch):
    class Shifted(attention.Calibration):
        def __init__(self, num_classes):
            super().__init__(num_classes)
            self.layer = nn.Conv2d(num_classes, num_classes, 1)
            nn.init.zeros_(self.layer.weight)
            nn.init.zeros_(self.layer.bias)

        def calibrate(self, scores):
            return scores + self.layer(scores.roll(1, -1))

    monkeypatch.setattr(attention, "Shifted", Shifted, raising=False)
    monkeypatch.setitem(CALIBRATIONS, "shifted", "Shifted")
    model = build_model("dab", 3, "shifted").eval()
    images = torch.randn(1, 3, 16, 24)
    assert torch.equal(model(images), model.upsample(model.coarse(images), (16, 24)))


@KINDS
def test_autocast_does_not_lower_its_precision(kind):
    calibration = drawn(kind, 19)
    scores = 20 * torch.randn(1, 19, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = calibration(scores)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, calibration(scores))


@KINDS
def test_low_precision_weights_keep_their_dtype(kind):
    calibration = drawn(kind, 19).to(torch.bfloat16)
    scores = torch.randn(1, 19, 8, 8)
    assert calibration(scores).dtype == torch.bfloat16


def test_pooled_drops_an_odd_last_row_and_column():
    query = torch.randn(1, 4, 5, 7)
    calibration = drawn(Pooled, 4)
    changed = query.clone()
    changed[..., -1, :] += 5
    same = calibration(changed)[..., :-1, :], calibration(query)[..., :-1, :]
    torch.testing.assert_close(*same)


def test_attend_averages_where_all_products_are_equal():
    value = torch.randn(1, 3, 4, 4)
    attended = attend(torch.zeros(1, 3, 2, 5), torch.randn(1, 3, 4, 4), value)
    torch.testing.assert_close(attended, value.mean((2, 3), keepdim=True).expand(1, 3, 2, 5))
