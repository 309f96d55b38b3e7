import numpy as np
import pytest
import torch

from eacnet.benchmark.published_form import written_out
from eacnet.inference import native
from eacnet.inference.native import kernels
from eacnet.models.attention import Calibration
from eacnet.models.label_map import label_map


@pytest.fixture
def compiled():
    if kernels(7) is None:
        pytest.skip("no C++ compiler here")
    return kernels(7)


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize(("fast", "tolerance"), [(False, 1e-5), (True, 2e-2)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_attention_is_the_written_out_one(compiled, pooled, fast, tolerance, layout):
    torch.manual_seed(0)
    layer = Calibration(7, pooled)
    layer.gamma.data.fill_(0.7)
    for scale in (0.5, 5.0, 40.0):  # from nearly even weights to one-hot ones, products over 1000
        scores = (scale * torch.randn(2, 7, 33, 45)).contiguous(memory_format=layout)
        with torch.no_grad():
            truth = written_out(layer, scores)
            ours = compiled.calibrate(layer, scores, fast)
        # A product of 1000 is known to 1e-4 in float32, and so is its exponential.
        slack = 50 if scale > 5 and not fast else 1
        close = slack * tolerance * truth.abs().max().item()
        torch.testing.assert_close(ours, truth, rtol=0, atol=close)


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize(("rows", "columns"), [(5, 7), (1, 1), (3, 20)])
def test_label_map_is_that_of_whole_planes(compiled, stride, rows, columns):
    scores = torch.randn(2, 7, rows, columns, generator=torch.Generator().manual_seed(3))
    for cut in (0, stride - 1):
        size = (rows * stride - cut, columns * stride - cut)
        ours, truth = compiled.label_map(scores, size, stride), label_map(scores, size, stride)
        assert ours.dtype == torch.uint8
        assert (ours != truth).float().mean() < 1e-3  # ties in the last bit


def test_without_a_compiler_pytorch_does_the_work(monkeypatch, network, pixels, caplog):
    from eacnet import Predictor

    image = pixels(45, 61)[0].numpy()
    with_kernels = Predictor(network())(image)
    kernels.cache_clear()
    monkeypatch.setenv("CXX", "false")
    try:
        plain = Predictor(network())
        assert plain.attention_kernel == "_scaled_dot_product_flash_attention_for_cpu"
        assert "own kernels are not used" in caplog.text
        assert (plain(image) != with_kernels).mean() < 1e-3
    finally:
        kernels.cache_clear()


def test_a_compiled_library_is_kept(compiled, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    library = native._library("g++", 2)
    before = library.stat().st_mtime_ns
    assert native._library("g++", 2).stat().st_mtime_ns == before
    assert [p.name for p in (tmp_path / "eacnet").iterdir()] == [library.name]
    assert np.unique([native._library("g++", k).name for k in (2, 2)]).size == 1
