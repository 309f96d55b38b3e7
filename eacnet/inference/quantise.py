"""INT8: most convolutions in 8 bits, the ranges of what enters them taken from sample images."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from eacnet.progress import progress

if TYPE_CHECKING:
    import onnx

# Percent of what enters a convolution that its range covers. Chosen on CamVid's validation frames,
# where it lost no more than the whole range from minimum to maximum, and with erf a third less.
COVERED = 99.99
DRAWN = 2**16  # values of a layer that are drawn from each sample to find its range


def quantised(graph: bytes, samples: Sequence[np.ndarray]) -> bytes:
    """Quantise the convolutions that mix channels, all but those at the two ends of the network.

    What enters them is rounded to 256 steps over one range a layer, their weights to 255 steps per
    output channel. The rest stays in floating point: norms that could not be folded, which stand
    as depthwise convolutions behind sums and concatenations whose channels differ too much in size
    to share a range; other depthwise ones, which have little to compute; the first convolutions,
    which see the pixels; the last ones, which decide.

    Args:
        graph: from `eacnet.inference.onnx_graph.scores_graph`.
        samples: images uint8 (H,W,3), as the network will see them.

    Returns:
        The ONNX graph with QuantizeLinear and DequantizeLinear nodes, which OpenVINO runs in
        integers.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationMethod,
        QDQQuantizer,
        QuantType,
        TensorData,
        TensorsData,
    )

    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(graph))
    nodes = mixing(model)
    found = ranges(model, list(dict.fromkeys(node.input[0] for node in nodes)), samples)
    data = {name: TensorData(lowest=low, highest=high) for name, (low, high) in found.items()}
    with _quiet():
        quantiser = QDQQuantizer(
            model,
            per_channel=True,
            reduce_range=False,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, data),
            nodes_to_quantize=[node.name for node in nodes],
            nodes_to_exclude=[],
            op_types_to_quantize=["Conv"],
            # An activation follows every convolution: to round before it would only cost accuracy.
            extra_options={"OpTypesToExcludeOutputQuantization": ["Conv"], "QuantizeBias": False},
        )
        quantiser.quantize_model()
    return quantiser.model.model.SerializeToString()


def mixing(model: "onnx.ModelProto") -> list["onnx.NodeProto"]:
    """Return the convolutions of a graph that mix channels, but for those at its two ends.

    These are the ones that no other such convolution stands before, or none behind.
    """
    nodes = list(model.graph.node)
    convolutions = [node for node in nodes if _mixes(node)]
    behind, before = _reached(nodes), _reached(nodes[::-1], backwards=True)
    return [node for node in convolutions if id(node) in behind & before]


def _mixes(node: "onnx.NodeProto") -> bool:
    grouped = any(each.name == "group" and each.i > 1 for each in node.attribute)
    return node.op_type == "Conv" and not grouped


def _reached(nodes: Sequence["onnx.NodeProto"], backwards: bool = False) -> set[int]:
    """Return the ids of the nodes behind a mixing convolution, or before; `nodes` in that order."""
    tensors: set[str] = set()
    found: set[int] = set()
    for node in nodes:
        enters, leaves = (node.output, node.input) if backwards else (node.input, node.output)
        if not tensors.isdisjoint(enters):
            found.add(id(node))
        if id(node) in found or _mixes(node):
            tensors.update(leaves)
    return found


def ranges(
    model: "onnx.ModelProto", names: Sequence[str], samples: Sequence[np.ndarray]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each tensor the float32 range that covers COVERED percent of its values.

    ONNX Runtime's own percentiles keep, or count into histograms, every value before and behind
    every convolution: ten times as long for the same ranges, or memory that grows with the samples.

    Args:
        model: whose input is "image".
        names: of tensors in it.
        samples: images uint8 (H,W,3).
    """
    import onnx
    import onnxruntime

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    outputs = (onnx.helper.make_empty_tensor_value_info(name) for name in names)
    watched.graph.output.extend(outputs)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    generator = np.random.default_rng(0)
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for image in progress(samples, desc="int8 ranges", unit="image", leave=False):
        for name, values in zip(names, session.run(names, {"image": image[None]}), strict=True):
            drawn[name].append(values.ravel()[generator.integers(values.size, size=DRAWN)])
    outside = (100 - COVERED) / 2
    return {
        name: tuple(np.percentile(values, (outside, 100 - outside)).astype(np.float32))
        for name, values in drawn.items()
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the advice of ONNX Runtime's quantiser, which goes to the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
