import ctypes
import math
import platform
import subprocess

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from eacnet import Predictor
from eacnet.config.names import CALIBRATIONS
from eacnet.inference import native
from eacnet.inference.native import kernels
from eacnet.inference.postprocess import Postprocess
from eacnet.models.attention import Full, Pooled
from eacnet.models.edge import Edge
from eacnet.models.label_map import label_map


def attentions(kind, layout=torch.contiguous_format):
    """Yield an attention and scores: weights nearly even, to one-hot of products over 1000."""
    torch.manual_seed(0)
    layer = kind(7)
    layer.gamma.data.fill_(0.7)
    images = torch.randn(2, 7, 33, 45)
    for scale in (0.5, 5.0, 40.0):
        yield scale, layer, (scale * images).contiguous(memory_format=layout)


@pytest.fixture
def compiled():
    if kernels(7) is None:
        pytest.skip("no C++ compiler here")
    return kernels(7)


@pytest.mark.parametrize("kind", [Pooled, Full])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_attention_is_the_written_out_one(compiled, kind, layout):
    for scale, layer, scores in attentions(kind, layout):
        with torch.no_grad():
            truth, ours = layer.written_out(scores), compiled.calibrate(layer, scores, fast=False)
        # A product of 1000 is known to 1e-4 in float32, and so is its exponential.
        close = (50 if scale > 5 else 1) * 1e-5 * truth.abs().max().item()
        torch.testing.assert_close(ours, truth, rtol=0, atol=close)


@pytest.mark.parametrize("kind", [Pooled, Full])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_fast_attention_is_that_of_bfloat16_operands(compiled, kind, layout):
    for scale, layer, scores in attentions(kind, layout):
        with torch.no_grad():
            exact, ours = layer.written_out(scores), compiled.calibrate(layer, scores, fast=True)
            query, key, value = (maps.flatten(2) for maps in layer.projections(scores))
            if compiled.has_bfloat16:
                query = (query / math.log(2)).bfloat16().double() * math.log(2)
                key = (key - key.mean(2, keepdim=True)).bfloat16()
            weights = torch.softmax(query.double().transpose(1, 2) @ key.double(), dim=-1)
            attended = value.double() @ weights.transpose(1, 2)
            truth = (layer.gamma * attended.reshape(scores.shape) + scores).float()
        largest = exact.abs().max()
        # An operand at the edge of two bfloat16s can be rounded to either.
        assert ((ours - truth).abs() > 0.01 * largest).float().mean() < 1e-3
        assert (ours - exact).abs().max() < 0.04 * largest or scale > 5


@pytest.mark.parametrize("size", [(33, 45), (1, 1), (2, 16), (5, 17)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_edge_is_what_pytorch_makes_of_it(compiled, size, layout):
    torch.manual_seed(0)
    layer = Edge(7)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    for scale in (0.5, 5.0, 40.0):
        evidence = (scale * torch.randn(2, 7 + 36, *size)).contiguous(memory_format=layout)
        with torch.no_grad():
            truth, ours = layer(evidence), compiled.calibrate(layer, evidence, fast=True)
        close = 1e-5 * truth.abs().max().item()
        torch.testing.assert_close(ours, truth, rtol=0, atol=close)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names registers of x86")
@pytest.mark.parametrize("narrower", ["-mno-avx512f", "-mno-avx"])
def test_narrower_registers_give_the_same(compiled, narrower, tmp_path):
    library = tmp_path / "kernels.so"
    words = ["c++", *native.FLAGS, "-w", narrower, "-DCLASSES=7", native.SOURCE, "-o", library]
    subprocess.run(words, check=True)
    narrow = native.Kernels(ctypes.CDLL(library))
    _, layer, scores = next(attentions(Pooled))
    with torch.no_grad():
        truth = layer.written_out(scores)
        torch.testing.assert_close(narrow.calibrate(layer, scores, fast=False), truth)
    size = (33 * 8, 45 * 8)
    assert torch.equal(narrow.label_map(scores, size, 8), compiled.label_map(scores, size, 8))


@pytest.mark.parametrize("stride", [2, 4, 8, 16])
@pytest.mark.parametrize(("rows", "columns"), [(5, 7), (1, 1), (3, 20), (2, 33)])
def test_label_map_is_that_of_whole_planes(compiled, stride, rows, columns):
    scores = torch.randn(2, 7, rows, columns, generator=torch.Generator().manual_seed(3))
    for cut in (0, stride - 1):
        size = (rows * stride - cut, columns * stride - cut)
        ours, truth = compiled.label_map(scores, size, stride), label_map(scores, size, stride)
        assert ours.dtype == torch.uint8
        assert (ours != truth).float().mean() < 1e-3  # ties in the last bit


@pytest.mark.parametrize(("rows", "columns"), [(5, 7), (1, 1)])
def test_the_label_map_of_a_gpu_is_the_same(network, rows, columns):
    scores = torch.randn(2, 5, rows, columns, generator=torch.Generator().manual_seed(3))
    postprocess = Postprocess(network(calibration="none"), torch.device("cpu"), "fp32")
    postprocess.device, postprocess.kernels = torch.device("cuda"), None  # where it takes that way
    for cut in (0, 7):
        size = (rows * 8 - cut, columns * 8 - cut)
        assert torch.equal(postprocess(scores, size), label_map(scores, size, 8))


@pytest.fixture
def no_compiler(monkeypatch):
    """Take the compiler away when called."""

    def take():
        kernels.cache_clear()
        monkeypatch.setenv("CXX", "false")

    yield take
    kernels.cache_clear()


def test_without_a_compiler_pytorch_does_the_work(no_compiler, network, pixels, caplog):
    image = pixels(45, 61)[0].numpy()
    with_kernels = Predictor(network())(image)
    no_compiler()
    plain = Predictor(network())
    assert plain.attention_kernel == "_scaled_dot_product_flash_attention_for_cpu"
    assert "own kernels are not used" in caplog.text
    assert (plain(image) != with_kernels).mean() < 1e-3


def test_a_compiler_whose_name_is_none_is_as_none(no_compiler, monkeypatch, caplog):
    no_compiler()
    monkeypatch.setenv("CXX", "g++ '")
    assert kernels(2) is None
    assert 'CXX is "g++ \'" (No closing quotation)' in caplog.text


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("compiler", [True, False])
def test_an_image_of_any_size_has_the_labels_of_the_network(
    no_compiler, network, pixels, calibration, compiler
):
    if not compiler:
        no_compiler()
    model = network(calibration=calibration)
    predict = Predictor(model)
    for height in range(41, 50):
        image = pixels(height, 102 - height)[0].numpy()
        planes = torch.from_numpy(image - np.float32(model.card.mean)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            expected = model(planes).argmax(1)[0].numpy()
        assert (predict(image) != expected).mean() < 1e-3, height


def test_a_compiled_library_is_kept(compiled, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    library = native._library("g++", 2)
    before = library.stat().st_mtime_ns
    assert native._library("g++", 2).stat().st_mtime_ns == before
    assert [p.name for p in (tmp_path / "eacnet").iterdir()] == [library.name]
    assert np.unique([native._library("g++", k).name for k in (2, 2)]).size == 1


class Doubled(Pooled):
    def calibrate(self, scores):
        return 2 * super().calibrate(scores) - scores.roll(3, -1)


def doubled(model):
    twin = Doubled(model.num_classes)
    twin.load_state_dict(model.calibration.state_dict())
    model.calibration = twin


def hooked(module):
    module.register_forward_hook(lambda _module, _inputs, output: output - output.roll(3, -1))


def replaced(module):
    original = module.forward
    module.forward = lambda x: original(x) - x.roll(3, -1)


def buffered(model):
    del model.calibration.gamma
    model.calibration.register_buffer("gamma", torch.tensor(3.0))


def by_class(model):
    gamma = torch.linspace(-2, 2, model.num_classes).view(-1, 1, 1)
    model.calibration.gamma = nn.Parameter(gamma, requires_grad=False)


CHANGES = {
    "a subclass": doubled,
    "a weight for each class": by_class,
    "a buffer in the place of a weight": buffered,
    "a hook": lambda model: hooked(model.calibration),
    "a hook inside": lambda model: hooked(model.calibration.value),
    "a method that was replaced": lambda model: replaced(model.calibration),
    "a method inside that was replaced": lambda model: replaced(model.calibration.query),
    "a parametrization": lambda model: nn.utils.parametrizations.weight_norm(
        model.calibration.key
    ).requires_grad_(False),
    "another layer": lambda model: setattr(
        model.calibration, "value", nn.Sequential(model.calibration.value, nn.Tanh())
    ),
    "other options": lambda model: setattr(
        model.calibration,
        "value",
        nn.Conv2d(5, 5, 3, padding=1, padding_mode="reflect"),
    ),
    "double precision": lambda model: model.double(),
    "a setting": lambda model: setattr(model.calibration, "step", 4),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("calibration", ["pooled", "full"])
def test_what_a_calibration_is_changed_to_is_what_runs(network, name, calibration):
    model = network(calibration=calibration)
    scores = torch.randn(2, 5, 9, 14, generator=torch.Generator().manual_seed(0))
    before = model.calibration(scores)
    CHANGES[name](model)
    with torch.no_grad():
        truth = model.calibration(scores).float()
        ours = Postprocess(model, torch.device("cpu"), "fp32").calibrated(scores)
    torch.testing.assert_close(ours.float(), truth, rtol=1e-4, atol=1e-4)
    same = ("a parametrization", "double precision", *["a setting"] * (calibration == "full"))
    if name not in same:
        assert (truth - before).abs().max() > 0.01


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("calibration", ["full", "pooled", "point", "local"])
def test_labels_of_a_calibration_in_another_dtype(network, calibration, dtype):
    scores = torch.randn(2, 5, 9, 14, generator=torch.Generator().manual_seed(0))
    truth = label_map(scores, (72, 112), 8)  # a fresh calibration changes nothing
    model = network(calibration=calibration)
    for parameter in model.calibration.parameters():
        parameter.data.zero_()
    labels = Postprocess(model.to(dtype), torch.device("cpu"), "fp32")(scores, (72, 112))
    assert (labels != truth).float().mean() < (1e-3 if dtype == torch.float64 else 0.03)


@pytest.mark.parametrize("calibration", ["none", "full", "pooled", "point", "local", "edge"])
def test_the_attentions_have_a_kernel(compiled, network, calibration):
    postprocess = Postprocess(network(calibration=calibration), torch.device("cpu"), "fp32")
    assert postprocess.native == (calibration in ("full", "pooled", "edge"))


def test_a_kernel_that_computes_something_else_is_not_taken(compiled, network, monkeypatch):
    class Misnamed(Pooled):
        native = "calibrate_full"

    model = network()
    state = model.calibration.state_dict()
    assert Postprocess(model, torch.device("cpu"), "fp32").native
    monkeypatch.setattr(Pooled, "context", lambda self, scores: F.avg_pool2d(scores, 2))
    assert not Postprocess(model, torch.device("cpu"), "fp32").native
    monkeypatch.undo()
    model.calibration = Misnamed(5)
    model.calibration.load_state_dict(state)
    assert not Postprocess(model, torch.device("cpu"), "fp32").native
