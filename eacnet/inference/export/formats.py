"""Files for other programs, one class a format: how a network is written and opened again."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from eacnet.inference.export.exported import Exported, OneKeyMore
from eacnet.inference.onnx_graph import TRACED, onnx_bytes
from eacnet.inference.runtimes.openvino import core
from eacnet.models.attention import Attention

Run = Callable[[np.ndarray], np.ndarray]


class Onnx:
    """ONNX, for ONNX Runtime, TensorRT and others."""

    suffix = ".onnx"
    packages, extra = ("onnx", "onnxruntime"), "onnx"
    batch = "batch"
    pads = True

    @staticmethod
    def write(network: Exported, metadata: dict[str, str], path: Path) -> None:
        """Write the network to `path`, all sizes in one graph or the one size of its signature."""
        import onnx

        graph = onnx.load_from_string(_graph(network))
        onnx.helper.set_model_props(graph, metadata)
        onnx.checker.check_model(graph)
        onnx.save(graph, path)

    @staticmethod
    def open(path: Path) -> Run:
        """Return the function that the file holds."""
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return lambda image: session.run(None, {"image": image})[0]


class OpenVino:
    """OpenVINO's IR, with the weights in a *.bin beside it."""

    suffix = ".xml"
    packages, extra = ("onnx", "openvino"), "onnx,openvino"
    batch = "batch"
    pads = True

    @staticmethod
    def write(network: Exported, metadata: dict[str, str], path: Path) -> None:
        """Write the network to `path`, all sizes in one graph or the one size of its signature."""
        calibration = network.calibration
        if network.signature.size is None and type(calibration).calibrate is Attention.calibrate:
            network.calibration = OneKeyMore(calibration)
        graph = core().read_model(_graph(network))

        import openvino

        for key, value in metadata.items():
            graph.set_rt_info(value, ["eacnet", key])
        openvino.save_model(graph, path, compress_to_fp16=False)

    @staticmethod
    def open(path: Path) -> Run:
        """Return the function that the file holds."""
        hint = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = core().compile_model(path, "CPU", hint)
        return lambda image: compiled(image)[0]


class TorchExport:
    """PyTorch's own: torch.export has to prove that all sizes inside fit.

    It can for multiples of what the network pads to, from a smallest size on.
    """

    suffix = ".pt2"
    packages, extra = (), ""
    batch = "1"  # the one that it was traced with
    pads = False

    @staticmethod
    def write(network: Exported, metadata: dict[str, str], path: Path) -> None:
        """Write the network to `path`, for whole multiples or the one size of its signature."""
        size, dims = network.signature.size, None
        if size is None:
            step, least = network.multiple, network.least // network.multiple
            rows, columns = (
                torch.export.Dim(name, min=least, max=4096) for name in ("rows", "columns")
            )
            first = 1 if network.signature.uint8_input else 2
            dims = {"image": {first: step * rows, first + 1: step * columns}}
            size = (least + 1) * step, (least + 3) * step
        example = network.signature.example(*size)
        program = torch.export.export(network, (example,), dynamic_shapes=dims)
        with warnings.catch_warnings():
            # It warns of weights that might lie on a GPU: ours do not, and the file is run below.
            warnings.filterwarnings("ignore", "No complete tensor found", UserWarning)
            torch.export.save(program, path, extra_files={"eacnet.json": json.dumps(metadata)})

    @staticmethod
    def open(path: Path) -> Run:
        """Return the function that the file holds."""
        module = torch.export.load(path).module()
        return lambda image: module(torch.from_numpy(image)).numpy()


FORMATS = {each.suffix: each for each in (Onnx, TorchExport, OpenVino)}


def _graph(network: Exported) -> bytes:
    signature = network.signature
    example = signature.example(*(signature.size or TRACED))
    axes = {1: "height", 2: "width"} if signature.label_map else {2: "height", 3: "width"}
    name = "labels" if signature.label_map else "logits"
    return onnx_bytes(network, example, name, {} if signature.size else axes)
