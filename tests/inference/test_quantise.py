"""What is quantised, and with which ranges, against the same network in PyTorch."""

import numpy as np
import pytest
import torch
from torch import nn

import eacnet
from eacnet.benchmark.published_form import reference_predict
from eacnet.inference import quantise
from eacnet.inference.folded import Folded
from eacnet.inference.onnx_graph import scores_graph
from eacnet.pretrained.shipped import SHIPPED
from eacnet.scenes import draw_scene

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def entering(network, images):
    """What enters each convolution that mixes channels, in order, but for the first and last."""
    seen = {}

    def keep(module, inputs):
        seen.setdefault(module, []).append(inputs[0].numpy().copy())

    hooks = [
        module.register_forward_pre_hook(keep)
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.groups == 1
    ]
    for image in images:
        network(torch.from_numpy(image[None]))
    for hook in hooks:
        hook.remove()
    return list(seen.items())[1:-1]


@pytest.mark.parametrize("backbone", ["dab", "erf"])
def test_convolutions_that_mix_channels_and_percentiles_of_what_enters_them(
    network, pixels, monkeypatch, backbone
):
    # Percentiles within the bulk of the values, which a random draw of them finds well.
    monkeypatch.setattr(quantise, "COVERED", 80)
    folded, images = Folded(network(backbone)), pixels(48, 64, 2).numpy()
    graph = onnx.load_from_string(quantise.quantised(scores_graph(folded), images))
    values = {each.name: onnx.numpy_helper.to_array(each) for each in graph.graph.initializer}
    source = {name: node for node in graph.graph.node for name in node.output}
    found = [
        node
        for node in graph.graph.node
        if node.op_type == "Conv" and node.input[0] in source
        and source[node.input[0]].op_type == "DequantizeLinear"
    ]  # fmt: skip
    expected = entering(folded, images)
    assert len(found) == len(expected)
    for node, (module, inputs) in zip(found, expected, strict=True):
        scale, zero = (values[name] for name in source[node.input[0]].input[1:])
        low, high = np.percentile(np.concatenate([each.ravel() for each in inputs]), (10, 90))
        low, high = min(low, 0), max(high, 0)
        assert 255 * scale == pytest.approx(high - low, rel=0.03)
        assert -float(zero) * scale == pytest.approx(low, abs=0.03 * (high - low))
        weights, scales = (values[name] for name in source[node.input[1]].input[:2])
        largest = module.weight.abs().amax((1, 2, 3)).numpy()
        assert scales == pytest.approx(largest / 127, rel=0.02)
        assert weights.dtype == np.int8
        assert all(values[name].dtype == np.float32 for name in node.input[2:])  # the bias


def test_int8_of_a_trained_network_keeps_the_labels():
    pytest.importorskip("openvino")
    image, *samples = (draw_scene(128, 256, seed=seed)[0] for seed in range(1, 7))
    predict = eacnet.Predictor(SHIPPED, runtime="openvino", precision="int8", samples=samples)
    same = (predict(image) == reference_predict(predict.model, image)).mean()
    assert same > 0.97


def test_each_end_of_a_network_stays_in_floating_point(network):
    folded = Folded(network("dab", "edge"))
    graph = onnx.load_from_string(scores_graph(folded))
    kept = {node.name for node in quantise.mixing(graph)}
    ends = [
        tuple(onnx.numpy_helper.to_array(each).shape)
        for node in graph.graph.node
        if node.op_type == "Conv" and node.name not in kept
        and not any(each.name == "group" and each.i > 1 for each in node.attribute)
        for each in graph.graph.initializer
        if each.name == node.input[1]
    ]  # fmt: skip
    # The backbone's and the guide's first convolution, its classifier of 5 classes, the logits.
    assert sorted(ends) == sorted([(32, 3, 3, 3), (16, 3, 3, 3), (5, 259, 1, 1), (36, 32, 4, 4)])
