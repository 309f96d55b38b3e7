"""Networks as files for other programs: ONNX, torch.export's .pt2, OpenVINO's IR.

Each file is run on the spot, at two sizes other than the traced one or at its only one, before it
gets its name.
"""

import copy
import json
import shutil
import tempfile
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
from eacnet.inference.formats import FORMATS
from eacnet.inference.runtimes import missing
from eacnet.models import EACNet

ANY_SIZES = ((61, 90), (112, 144))
TOLERANCE = 1e-3  # of the largest logit; and the share of labels that may differ, from ties
ANY, WHOLE = "any", "multiples of {multiple} pixels, at least {least}"


@dataclass(frozen=True)
class Form:
    """What goes into an exported network and what comes out.

    `size`, (height, width), fixes that of the images; None leaves it open.
    """

    uint8_input: bool = False
    label_map: bool = False
    size: tuple[int, int] | None = None

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

    def example(self, height: int, width: int) -> Tensor:
        """Draw an input of the given size, batch 1."""
        generator = torch.Generator().manual_seed(height)
        shape = (1, height, width, 3)
        pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        if self.uint8_input:
            return pixels
        return (pixels.float() - 128).permute(0, 3, 1, 2).contiguous()


class Exported(nn.Module):
    """The whole network in one graph, batch norms folded, in the form that is exported."""

    def __init__(self, model: EACNet, form: Form, pads: bool) -> None:
        super().__init__()
        self.deployed = Deployed(model)
        self.calibration = copy.deepcopy(model.calibration).requires_grad_(False).eval()
        self.form, self.pads, self.stride = form, pads, model.stride
        self.multiple, self.least = model.multiple, least_side(model)
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
    target = FORMATS[suffix]
    if absent := missing(target.packages):
        raise InputError(
            f"{path}: {' and '.join(absent)} not installed here: pip install eacnet[{target.extra}]"
        )
    if form.size:
        model.check_size(*form.size)
    pads = target.pads or form.size is not None
    network = Exported(model, form, pads).eval()
    metadata = describe(model, form, pads)
    if form.size:
        sizes = (form.size,)
    elif pads:
        sizes = ANY_SIZES
    else:
        sizes = tuple(
            tuple(network.least + steps * model.multiple for steps in pair)
            for pair in ((0, 1), (4, 2))
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder, path.name)
        with torch.no_grad():
            target.write(network, metadata, written)
            _verify(model, target.open(written), form, sizes, path)
        # The weights of OpenVINO's IR come first: its .xml is the file that one opens.
        for file in sorted(Path(folder).iterdir(), key=lambda file: file.suffix == suffix):
            shutil.move(file, path.parent / file.name)
    return metadata


def describe(model: EACNet, form: Form, pads: bool) -> dict[str, str]:
    """Return what a file says about its network, as text."""
    card = card_of(model)
    sizes = ANY if pads else WHOLE.format(multiple=model.multiple, least=least_side(model))
    if form.size:
        sizes = "{}x{}".format(*form.size)
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


def least_side(model: EACNet) -> int:
    """Return the least height and width in pixels that a graph by torch.export takes.

    One for every size must not depend on whether a map has a single row, pooled ones included.
    """
    rows = 4 if model.calibration_name == "pooled" else 2
    coarsest = getattr(model.backbone, "coarsest", model.multiple)
    return max(rows * model.stride, coarsest + model.multiple)


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
        example = form.example(height, width)
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
