"""The file formats of exported networks: how each is written, and run."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from eacnet.inference.export.exported import Exported
from eacnet.inference.onnx_graph import TRACED, onnx_bytes
from eacnet.inference.runtimes.openvino import core

Run = Callable[[np.ndarray], np.ndarray]


class Format(NamedTuple):
    """What a format needs, the extra of this project that brings it, and what it can do.

    `write` takes the network, its metadata and the path; `opened` returns a function that runs the
    file. In a file of `any_size`, images are padded to multiples of the stride.
    """

    packages: tuple[str, ...]
    extra: str
    write: Callable[[Exported, dict[str, str], Path], None]
    opened: Callable[[Path], Run]
    any_size: bool = True


def _graph(network: Exported) -> bytes:
    axes = {1: "height", 2: "width"} if network.signature.label_map else {2: "height", 3: "width"}
    name = "labels" if network.signature.label_map else "logits"
    return onnx_bytes(network, network.signature.example(*TRACED), name, axes)


def _write_onnx(network: Exported, metadata: dict[str, str], path: Path) -> None:
    import onnx

    graph = onnx.load_from_string(_graph(network))
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _open_onnx(path: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def _write_openvino(network: Exported, metadata: dict[str, str], path: Path) -> None:
    graph = core().read_model(_graph(network))

    import openvino

    for key, value in metadata.items():
        graph.set_rt_info(value, ["eacnet", key])
    openvino.save_model(graph, path, compress_to_fp16=False)


def _open_openvino(path: Path) -> Run:
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core().compile_model(path, "CPU", hint)
    return lambda image: compiled(image)[0]


def _write_pt2(network: Exported, metadata: dict[str, str], path: Path) -> None:
    # torch.export has to prove that all sizes inside fit: it can for multiples of the stride.
    rows, columns = (
        torch.export.Dim(name, min=network.least, max=4096) for name in ("rows", "columns")
    )
    first = 1 if network.signature.uint8_input else 2
    dims = {first: network.stride * rows, first + 1: network.stride * columns}
    example = network.signature.example(5 * network.stride, 7 * network.stride)
    program = torch.export.export(network, (example,), dynamic_shapes={"image": dims})
    with warnings.catch_warnings():
        # It warns of weights that might lie on a GPU: ours do not, and the file is run below.
        warnings.filterwarnings("ignore", "No complete tensor found", UserWarning)
        torch.export.save(program, path, extra_files={"eacnet.json": json.dumps(metadata)})


def _open_pt2(path: Path) -> Run:
    module = torch.export.load(path).module()
    return lambda image: module(torch.from_numpy(image)).numpy()


FORMATS = {
    ".onnx": Format(("onnx", "onnxruntime"), "onnx", _write_onnx, _open_onnx),
    ".pt2": Format((), "", _write_pt2, _open_pt2, any_size=False),
    ".xml": Format(("onnx", "openvino"), "onnx,openvino", _write_openvino, _open_openvino),
}
