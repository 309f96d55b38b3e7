import pytest
import torch
import torch.nn.functional as F
from torch import nn

from eacnet.inference.channels_last import AveragePool, channels_last
from eacnet.inference.folded import Folded, ScaleShift
from eacnet.models import ModelCard, build_model


@pytest.mark.parametrize("backbone", ["dab", "erf", "enet", "resnet18", "erfnet"])
@pytest.mark.parametrize("size", [(41, 70), (9, 9), (64, 96)])
def test_the_rewritten_network_gives_the_scores_of_the_plain_one(network, pixels, backbone, size):
    model = network(backbone, "none")
    image = pixels(*size, 2)
    with torch.no_grad():
        plain = model.coarse((image - torch.tensor(model.card.mean)).permute(0, 3, 1, 2))
        ours = channels_last(Folded(model))(image)
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5 * plain.abs().max().item())


@pytest.mark.parametrize(
    "backbone", ["pidnet_s", "ddrnet23_slim", "bisenetv2", "fast_scnn", "cgnet"]
)
def test_rewriting_is_exact_where_gates_amplify_rounding(network, pixels, backbone):
    """In float64: drawn weights magnify float32's rounding up to a thousandfold."""
    model = network(backbone, "none").double()
    images = pixels(41, 70).permute(0, 3, 1, 2).double() - 128
    with torch.no_grad():
        ours = channels_last(Folded(model, torch.float64)).coarse(images)
        plain = model.coarse(images)
    torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9 * plain.abs().max().item())


def test_nothing_works_on_single_channels_but_behind_a_convolution(network):
    graph = channels_last(Folded(network("dab", "none"))).network.graph
    functions = {node.target for node in graph.nodes if node.op == "call_function"}
    assert torch.cat in functions
    assert F.avg_pool2d not in functions
    seen = 0
    for node in graph.nodes:
        module = node.op == "call_module" and graph.owning_module.get_submodule(node.target)
        if isinstance(module, ScaleShift | nn.PReLU):
            source = graph.owning_module.get_submodule(node.args[0].target)
            assert isinstance(source, ScaleShift | nn.PReLU | nn.Conv2d | AveragePool)
            assert isinstance(module, nn.PReLU) or len(node.args[0].users) == 1
            seen += 1
    assert seen == 71 + 2 * 1 + 2 * 2 + 1  # all PReLUs, more of them in parts, the stem's scale


@pytest.mark.parametrize("size", [(6, 8), (7, 9), (1, 5)])
def test_the_average_pool_is_pytorchs(size):
    maps = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    truth = F.avg_pool2d(maps, 3, stride=2, padding=1)
    torch.testing.assert_close(AveragePool(3, 3, 2, 1)(maps), truth)


def test_openvino_fuses_the_activations_of_a_network_without_training():
    pytest.importorskip("openvino")
    from eacnet.inference.runtimes.openvino import compiler

    model = build_model("dab", 5, "none").eval()
    model.card = ModelCard([{"name": name} for name in "abcde"], [72.0, 81.0, 70.0], [1.0] * 3)
    network = compiler(model, "fp32", torch.device("cpu"))((1, 64, 96, 3))
    layers = network.get_runtime_model().get_ops()
    kinds = [layer.get_rt_info()["layerType"].astype(str) for layer in layers]
    assert kinds.count("Convolution") > 60
    named = [k for k, layer in zip(kinds, layers, strict=True) if "PRelu" in layer.friendly_name]
    assert set(named) <= {"Const"}
