"""Networks as files for other programs: ONNX, torch.export's .pt2, OpenVINO's IR.

Each file is run on the spot before it gets its name: at its only size, or at several other than the
traced one, the smallest first and last, with one image and two.
"""

import json
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from eacnet.errors import InputError, first_line
from eacnet.files import write_bytes
from eacnet.inference.export.exported import Exported, Signature
from eacnet.inference.export.formats import FORMATS
from eacnet.inference.folded import card_of
from eacnet.inference.rewrite import check_unaltered, copied
from eacnet.inference.runtimes import missing
from eacnet.models import EACNet

ANY_SIZES = ((61, 90), (112, 144))
TOLERANCE = 1e-3  # of the largest logit; and the share of labels that may differ, from ties, or one


def export_model(model: EACNet, path: Path, signature: Signature) -> dict[str, str]:
    """Write a network to `path`, in the format that its suffix names, and verify it.

    Args:
        model: a network with its card.
        path: *.onnx, *.pt2 or *.xml (OpenVINO, with a *.bin beside it).
        signature: what goes in and comes out.

    Returns:
        The metadata that the file carries.

    Raises:
        InputError: the suffix is unknown, a package is missing, the network has no card or computes
            in a way of its own, or the file does not give what the network gives; nothing is left
            behind then.
    """
    check_unaltered(model)
    suffix = path.suffix
    if suffix not in FORMATS:
        raise InputError(f"{path}: unknown format; name it *{', *'.join(FORMATS)}")
    kind = FORMATS[suffix]
    if absent := missing(kind.packages):
        raise InputError(
            f"{path}: {' and '.join(absent)} not installed here: pip install eacnet[{kind.extra}]"
        )
    if signature.size:
        model.check_size(*signature.size)
    network = Exported(model, signature, kind.pads or signature.size is not None).eval()
    metadata = describe(model, network, kind.batch)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, path.name)
        with torch.no_grad():
            kind.write(network, metadata, written)
            _verify(model, kind.open(written), network, path, 1 if kind.batch == "1" else 2)
        # The weights of OpenVINO's IR come first: its .xml is the file that one opens.
        for file in sorted(Path(folder).iterdir(), key=lambda file: file.suffix == suffix):
            write_bytes(path.parent / file.name, file.read_bytes())
    return metadata


def describe(model: EACNet, network: Exported, batch: str = "batch") -> dict[str, str]:
    """Return what a file says about its network, as text; `batch` is how many images it takes."""
    card, signature = card_of(model), network.signature
    smallest = least_any(model)
    sizes = f"multiples of {network.multiple} pixels, at least {network.least}"
    if signature.size:
        sizes = "{}x{}".format(*signature.size)
    elif network.pads:
        sizes = f"any, at least {smallest}x{smallest}" if smallest > 1 else "any"
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
        "input": signature.input.replace("batch", batch),
        "output": signature.output.replace("batch", batch),
    }


def _verify(
    model: EACNet,
    run: Callable[[np.ndarray], np.ndarray],
    network: Exported,
    path: Path,
    batch: int,
) -> None:
    card, signature = card_of(model), network.signature
    model = copied(model).cpu().eval()
    # A runtime may keep what it made of one size for the next.
    for index, (height, width) in enumerate(_sizes(network, least_any(model))):
        example = signature.example(height, width)
        if index % 2:
            example = torch.cat([example, example.flip(1)] if batch == 2 else [example])
        images = example
        if signature.uint8_input:
            images = (example - torch.tensor(card.mean)) / torch.tensor(card.std)
            images = images.permute(0, 3, 1, 2)
        truth = model(images)
        try:
            ours = torch.from_numpy(np.array(run(example.numpy())))
        except Exception as error:  # each runtime has its own kinds
            problem = f"fails ({first_line(error)})"
        else:
            problem = _difference(ours, truth, signature)
        if problem:
            raise InputError(
                f"{path}: the exported network {problem} at {height}x{width} pixels, so the file "
                "was deleted; try another format, and report this"
            )


def least_any(model: EACNet) -> int:
    """Return the least height and width in pixels where images are padded."""
    return (model.calibration.smallest - 1) * model.stride + 1


def _sizes(network: Exported, smallest: int) -> tuple[tuple[int, int], ...]:
    """Return the sizes of the images on which an exported network is tried."""
    if network.signature.size:
        return (network.signature.size,) * 2
    if network.pads:
        return (smallest,) * 2, *ANY_SIZES, (smallest,) * 2
    side = [network.least + steps * network.multiple for steps in range(5)]
    return (side[0],) * 2, (side[4], side[2]), (side[0], side[1])


def _difference(ours: Tensor, truth: Tensor, signature: Signature) -> str:
    """Say how an output differs from the network's logits, or ""."""
    truth = truth.argmax(1).to(torch.uint8) if signature.label_map else truth
    if ours.shape != truth.shape or ours.dtype != truth.dtype:
        return f"gives {ours.dtype} {tuple(ours.shape)} instead of {tuple(truth.shape)}"
    if signature.label_map:
        wrong = int((ours != truth).sum())
        share = f"gives other classes on {100 * wrong / truth.numel():.2f} % of the labels"
        return share * (wrong > max(1, TOLERANCE * truth.numel()))
    error = ((ours - truth).abs().max() / truth.abs().max()).item()
    return "" if error <= TOLERANCE else f"is off by {error:.1e} of the largest logit"
