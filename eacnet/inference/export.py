"""Networks as files for other programs: ONNX, torch.export's .pt2, OpenVINO's IR.

Each file is run on the spot, at two sizes other than the traced one, before it gets its name.
"""

import copy
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.errors import InputError
from eacnet.inference.folded import Deployed, card_of
from eacnet.inference.onnx_graph import TRACED, onnx_bytes
from eacnet.inference.runtimes import missing
from eacnet.models import EACNet

# What a format needs, and the extra of this project that brings it.
FORMATS = {
    ".onnx": (("onnx", "onnxruntime"), "onnx"),
    ".pt2": ((), ""),
    ".xml": (("onnx", "openvino"), "onnx,openvino"),
}
ANY_SIZES = ((61, 90), (112, 144))
WHOLE_SIZES = ((64, 96), (128, 160))  # multiples of every stride
TOLERANCE = 1e-3  # of the largest logit; and the share of labels that may differ, from ties
ANY, WHOLE = "any", "multiples of {stride} pixels, at least {least}"


@dataclass(frozen=True)
class Form:
    """What goes into an exported network and what comes out."""

    uint8_input: bool = False
    label_map: bool = False

    @property
    def input(self) -> str:
        """Description of the input."""
        if self.uint8_input:
            return "uint8 (batch, height, width, 3), RGB"
        return "float32 (batch, 3, height, width), (RGB - mean) / std"

    @property
    def output(self) -> str:
        """Description of the output."""
        if self.label_map:
            return "uint8 (batch, height, width), class ids"
        return "float32 (batch, classes, height, width), logits"


class Exported(nn.Module):
    """The whole network in one graph, batch norms folded, in the form that is exported."""

    def __init__(self, model: EACNet, form: Form, pads: bool) -> None:
        super().__init__()
        self.deployed = Deployed(model)
        self.calibration = copy.deepcopy(model.calibration).requires_grad_(False).eval()
        self.form, self.pads, self.stride = form, pads, model.stride
        self.calibration_name = model.calibration_name
        self.decodes = model.backbone_name == "erfnet"

    def forward(self, image: Tensor) -> Tensor:
        """Map an image as `form.input` describes it to what `form.output` describes."""
        images = self.deployed.normalised(image) if self.form.uint8_input else image
        height, width = images.shape[-2:]
        scores = self.deployed.coarse(images) if self.pads else self.deployed.network(images)
        scores = self.calibration(scores)
        if not self.decodes:
            scores = F.interpolate(
                scores, scale_factor=float(self.stride), mode="bilinear", align_corners=False
            )
        if self.pads:
            scores = scores[..., :height, :width]
        return scores.argmax(1).to(torch.uint8) if self.form.label_map else scores


def export_model(model: EACNet, path: Path, form: Form) -> dict[str, str]:
    """Write a network to `path`, in the format that its suffix names, and verify it.

    Args:
        model: a network with its card.
        path: *.onnx, *.pt2 or *.xml (OpenVINO, with a *.bin beside it).
        form: what goes in and comes out.

    Returns:
        The metadata that the file carries.

    Raises:
        InputError: the suffix is unknown, a package is missing, the network has no card, or the
            file does not give what the network gives; nothing is left behind then.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"{path}: unknown format; name it *{', *'.join(FORMATS)}")
    packages, extra = FORMATS[suffix]
    if absent := missing(packages):
        raise InputError(
            f"{path}: {' and '.join(absent)} not installed here: pip install eacnet[{extra}]"
        )
    network = Exported(model, form, pads=suffix != ".pt2").eval()
    metadata = describe(model, form, whole=suffix == ".pt2")
    write, opened = {
        ".onnx": (_write_onnx, _open_onnx),
        ".pt2": (_write_pt2, _open_pt2),
        ".xml": (_write_openvino, _open_openvino),
    }[suffix]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder, path.name)
        with torch.no_grad():
            write(network, metadata, written)
            sizes = WHOLE_SIZES if suffix == ".pt2" else ANY_SIZES
            _verify(model, opened(written), form, sizes, path)
        # The weights of OpenVINO's IR come first: its .xml is the file that one opens.
        for file in sorted(Path(folder).iterdir(), key=lambda file: file.suffix == suffix):
            shutil.move(file, path.parent / file.name)
    return metadata


def describe(model: EACNet, form: Form, whole: bool) -> dict[str, str]:
    """Return what a file says about its network, as text."""
    card = card_of(model)
    least = least_rows(model.calibration_name) * model.stride
    sizes = WHOLE.format(stride=model.stride, least=least) if whole else ANY
    return {
        "eacnet": version("eacnet"),
        "backbone": model.backbone_name,
        "calibration": model.calibration_name,
        "dataset": card.dataset,
        "classes": json.dumps(card.classes),
        "mean": json.dumps(card.mean),
        "std": json.dumps(card.std),
        "stride": str(model.stride),
        "sizes": sizes,
        "input": form.input,
        "output": form.output,
    }


def least_rows(calibration: str) -> int:
    """Return how many rows of scores an export by torch.export takes at least.

    A graph for every size must not depend on whether a map has a single row, pooled ones included.
    """
    return 4 if calibration == "pooled" else 2


def _example(form: Form, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height)
    pixels = torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8, generator=generator)
    return pixels if form.uint8_input else (pixels.float() - 128).permute(0, 3, 1, 2).contiguous()


def _verify(
    model: EACNet,
    run: Callable[[np.ndarray], np.ndarray],
    form: Form,
    sizes: tuple[tuple[int, int], ...],
    path: Path,
) -> None:
    card = card_of(model)
    model.eval()
    for height, width in sizes:
        example = _example(form, height, width)
        images = example
        if form.uint8_input:
            images = (example - torch.tensor(card.mean)) / torch.tensor(card.std)
            images = images.permute(0, 3, 1, 2)
        truth = model(images)
        try:
            ours = torch.from_numpy(np.array(run(example.numpy())))
        except Exception as error:  # each runtime has its own kinds
            problem = f"fails ({str(error).strip().splitlines()[0]})"
        else:
            problem = _difference(ours, truth, form)
        if problem:
            raise InputError(
                f"{path}: the exported network {problem} at {height}x{width} pixels, so the file "
                "was deleted; try another format, and report this"
            )


def _difference(ours: Tensor, truth: Tensor, form: Form) -> str:
    """Say how an output differs from the network's logits, or ""."""
    truth = truth.argmax(1).to(torch.uint8) if form.label_map else truth
    if ours.shape != truth.shape or ours.dtype != truth.dtype:
        return f"gives {ours.dtype} {tuple(ours.shape)} instead of {tuple(truth.shape)}"
    if form.label_map:
        wrong = (ours != truth).float().mean().item()
        return f"gives other classes on {100 * wrong:.2f} % of the labels" * (wrong > TOLERANCE)
    error = ((ours - truth).abs().max() / truth.abs().max()).item()
    return "" if error <= TOLERANCE else f"is off by {error:.1e} of the largest logit"


def _graph(network: Exported) -> bytes:
    axes = {1: "height", 2: "width"} if network.form.label_map else {2: "height", 3: "width"}
    name = "labels" if network.form.label_map else "logits"
    return onnx_bytes(network, _example(network.form, *TRACED), name, axes)


def _write_onnx(network: Exported, metadata: dict[str, str], path: Path) -> None:
    import onnx

    graph = onnx.load_from_string(_graph(network))
    onnx.helper.set_model_props(graph, metadata)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def _open_onnx(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def _write_openvino(network: Exported, metadata: dict[str, str], path: Path) -> None:
    import openvino

    graph = openvino.Core().read_model(_graph(network))
    for key, value in metadata.items():
        graph.set_rt_info(value, ["eacnet", key])
    openvino.save_model(graph, path, compress_to_fp16=False)


def _open_openvino(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import openvino

    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", hint)
    return lambda image: compiled(image)[0]


def _write_pt2(network: Exported, metadata: dict[str, str], path: Path) -> None:
    # torch.export has to prove that all sizes inside fit: it can for multiples of the stride.
    least = least_rows(network.calibration_name)
    rows, columns = (torch.export.Dim(name, min=least, max=4096) for name in ("rows", "columns"))
    first = 1 if network.form.uint8_input else 2
    dims = {first: network.stride * rows, first + 1: network.stride * columns}
    example = _example(network.form, 5 * network.stride, 7 * network.stride)
    program = torch.export.export(network, (example,), dynamic_shapes={"image": dims})
    with warnings.catch_warnings():
        # It warns of weights that might lie on a GPU: ours do not, and the file is run below.
        warnings.filterwarnings("ignore", "No complete tensor found", UserWarning)
        torch.export.save(program, path, extra_files={"eacnet.json": json.dumps(metadata)})


def _open_pt2(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    module = torch.export.load(path).module()
    return lambda image: module(torch.from_numpy(image)).numpy()
