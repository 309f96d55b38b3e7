import pytest
import torch
import torch.nn.functional as F

from eacnet.models.depthwise import DepthwiseConv2d, depthwise

KERNELS = [((3, 1), (2, 2)), ((1, 3), (16, 16)), ((3, 3), (4, 2)), ((3, 1), (1, 1))]


@pytest.mark.parametrize(("kernel", "dilation"), KERNELS)
def test_shifted_products_equal_pytorchs_convolution(kernel, dilation):
    torch.manual_seed(0)
    x = torch.randn(2, 8, 20, 24, requires_grad=True)
    weight = torch.randn(8, 1, *kernel, requires_grad=True)
    padding = tuple(k // 2 * d for k, d in zip(kernel, dilation, strict=True))
    expected = F.conv2d(x, weight, None, 1, padding, dilation, groups=8)
    gradients = torch.autograd.grad(expected.square().sum(), (x, weight))
    ours = depthwise(x, weight, dilation)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)
    for got, right in zip(
        torch.autograd.grad(ours.square().sum(), (x, weight)), gradients, strict=True
    ):
        torch.testing.assert_close(got, right, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kernel", "dilation"), KERNELS)
def test_gradients_in_bfloat16_are_those_of_float64(kernel, dilation):
    """Garbage lies in memory before each backward pass, as it does after a while of training."""
    torch.manual_seed(0)
    padding = tuple(k // 2 * d for k, d in zip(kernel, dilation, strict=True))
    conv = DepthwiseConv2d(32, 32, kernel, 1, padding, dilation, groups=32, bias=False)
    conv = conv.to(memory_format=torch.channels_last)
    x = torch.randn(2, 32, 30, 40).to(torch.bfloat16, memory_format=torch.channels_last)
    slope = torch.randn(2, 32, 30, 40).to(torch.bfloat16, memory_format=torch.channels_last)
    exact = conv.weight.detach().bfloat16().double().requires_grad_()
    out = F.conv2d(x.double(), exact, None, 1, padding, dilation, groups=32)
    expected = torch.autograd.grad(out, exact, slope.double())[0]
    for _ in range(4):
        garbage = [torch.full((1 << bits,), 3e38) for bits in range(8, 19)]
        del garbage
        with torch.autocast("cpu", torch.bfloat16):
            got = torch.autograd.grad(conv(x), conv.weight, slope)[0]
        assert (got - expected).abs().max() < 0.01 * expected.abs().max()
