import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from eacnet.models.attention import Calibration, attend

MODES = pytest.mark.parametrize("pooled", [True, False], ids=["pooled", "full"])


def written_out(calibration, scores):
    """The calibration as its formula reads, with the attention matrix in memory."""
    context = F.max_pool2d(scores, 2) if calibration.pooled else scores
    query = calibration.query(scores).flatten(2)
    key = calibration.key(context).flatten(2)
    value = calibration.value(context).flatten(2)
    attention = torch.softmax(torch.einsum("bkn,bkm->bnm", query, key), dim=-1)
    attended = torch.einsum("bnm,bkm->bkn", attention, value).reshape(scores.shape)
    return calibration.gamma * attended + scores


def drawn(num_classes, pooled, dtype=torch.float32):
    torch.manual_seed(0)
    calibration = Calibration(num_classes, pooled).to(dtype)
    nn.init.constant_(calibration.gamma, 0.7)
    return calibration


@MODES
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", [(2, 19, 45, 60), (1, 11, 7, 5)])
def test_equals_the_written_out_form_forward_and_backward(pooled, layout, size):
    calibration = drawn(size[1], pooled)
    scores = (2 * torch.randn(size)).to(memory_format=layout).requires_grad_()
    inputs = (scores, *calibration.parameters())
    towards = torch.randn(size)

    ours, truth = calibration(scores), written_out(calibration, scores)
    torch.testing.assert_close(ours, truth, rtol=1e-4, atol=1e-4)
    ours = torch.autograd.grad(ours, inputs, towards)
    truth = torch.autograd.grad(truth, inputs, towards)
    # One scale for all: the key's bias shifts all products alike, its true gradient is zero.
    scale = max(gradient.abs().max().item() for gradient in truth)
    for mine, theirs in zip(ours, truth, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4 * scale)


@MODES
def test_gradcheck(pooled):
    calibration = drawn(3, pooled, torch.float64)
    scores = torch.randn(1, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    parameters = tuple(calibration.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: calibration(x), (scores, *parameters))


@MODES
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_takes_the_fused_kernel_of_the_cpu(pooled, layout):
    calibration = drawn(19, pooled)
    scores = torch.randn(2, 19, 9, 8).to(memory_format=layout).requires_grad_()
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):  # raises where the kernel is not eligible
        calibration(scores).sum().backward()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@MODES
def test_takes_a_fused_kernel_on_cuda_and_agrees_with_the_cpu(pooled):
    calibration = drawn(19, pooled)
    scores = torch.randn(2, 19, 45, 60)
    truth = calibration(scores)
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]):
        ours = calibration.cuda()(scores.cuda())
    torch.testing.assert_close(ours.cpu(), truth, rtol=1e-2, atol=1e-2)


@MODES
def test_gamma_zero_changes_nothing(pooled):
    scores = torch.randn(1, 19, 6, 6)
    assert torch.equal(Calibration(19, pooled)(scores), scores)


@MODES
def test_autocast_does_not_lower_its_precision(pooled):
    calibration = drawn(19, pooled)
    scores = 20 * torch.randn(1, 19, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = calibration(scores)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, calibration(scores))


def test_low_precision_weights_keep_their_dtype():
    calibration = drawn(19, True).to(torch.bfloat16)
    scores = torch.randn(1, 19, 8, 8)
    assert calibration(scores).dtype == torch.bfloat16


def test_pooled_drops_an_odd_last_row_and_column():
    query = torch.randn(1, 4, 5, 7)
    calibration = drawn(4, True)
    changed = query.clone()
    changed[..., -1, :] += 5
    same = calibration(changed)[..., :-1, :], calibration(query)[..., :-1, :]
    torch.testing.assert_close(*same)


def test_attend_averages_where_all_products_are_equal():
    value = torch.randn(1, 3, 4, 4)
    attended = attend(torch.zeros(1, 3, 2, 5), torch.randn(1, 3, 4, 4), value)
    torch.testing.assert_close(attended, value.mean((2, 3), keepdim=True).expand(1, 3, 2, 5))
