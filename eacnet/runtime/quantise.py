"""INT8: weights and activations of all convolutions in 8 bits, ranges taken from sample images."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np


def quantised(graph: bytes, samples: Sequence[np.ndarray]) -> bytes:
    """Quantise the convolutions of an ONNX graph statically.

    What enters a convolution is rounded to 256 steps between the smallest and the largest value
    seen on the samples, its weights to 255 steps per output channel. The rest stays float32.

    Args:
        graph: from `eacnet.runtime.onnx_graph.scores_graph`.
        samples: images uint8 (H,W,3), as the network will see them.

    Returns:
        The ONNX graph with QuantizeLinear and DequantizeLinear nodes, which ONNX Runtime and
        OpenVINO both run in integers.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.images = iter(samples)

        def get_next(self) -> dict[str, np.ndarray] | None:
            image = next(self.images, None)
            return None if image is None else {"image": image[None]}

    with tempfile.TemporaryDirectory() as folder, _quiet():
        plain, small = Path(folder, "plain.onnx"), Path(folder, "int8.onnx")
        plain.write_bytes(graph)
        quantize_static(
            plain,
            small,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            # An activation follows every convolution: to round before it would only cost accuracy.
            extra_options={"OpTypesToExcludeOutputQuantization": ["Conv"], "QuantizeBias": False},
        )
        return small.read_bytes()


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
