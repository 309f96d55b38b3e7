"""One safetensors file per network: weights, how to build it, and its card as metadata."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from eacnet.errors import InputError
from eacnet.files import replacing
from eacnet.models.network import EACNet, ModelCard, build_model

FORMAT = "1"


def save_model(
    model: EACNet,
    path: Path | str,
    *,
    classes: list[dict[str, Any]],
    mean: list[float],
    std: list[float],
    dataset: str = "",
    align_corners: bool = False,
) -> None:
    """Write a network to `path`, all of it or nothing; the same network gives the same bytes.

    Args:
        model: the network; its training state and auxiliary heads are not kept.
        path: the safetensors file.
        classes: one {"name", "category", "color"} for each class, in train-id order.
        mean: what was subtracted from RGB, scale 0..255.
        std: what the difference was divided by, scale 0..255; 1 in the published recipes.
        dataset: name of the dataset that it was trained on.
        align_corners: how it was upsampled where it was published, see `ModelCard`.

    Raises:
        InputError: `classes` does not describe the network's classes.
    """
    if len(classes) != model.num_classes:
        raise InputError(
            f"{path}: {len(classes)} classes described, the network predicts {model.num_classes}"
        )
    metadata = {
        "eacnet_format": FORMAT,
        "backbone": model.backbone_name,
        "calibration": model.calibration_name,
        "num_classes": str(model.num_classes),
        "stride": str(model.stride),
        "classes": json.dumps(classes),
        "mean": json.dumps(mean),
        "std": json.dumps(std),
        "dataset": dataset,
    }
    if align_corners:
        metadata["align_corners"] = "true"
    state = {
        name: value.cpu().contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith("auxiliary.")
    }
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(_sorted_header(safetensors.torch.save(state, metadata)))


def load_model(path: Path | str) -> EACNet:
    """Read a network that `save_model` wrote: on the CPU, in evaluation mode, with its `card`.

    Raises:
        InputError: the file is missing, damaged, or does not hold such a network.
    """
    metadata, state = _read(Path(path))
    if metadata.get("eacnet_format") != FORMAT:
        raise InputError(f"{path} was not written by this version of eacnet.save_model")
    try:
        card = ModelCard(
            classes=json.loads(metadata["classes"]),
            mean=json.loads(metadata["mean"]),
            std=json.loads(metadata["std"]),
            dataset=metadata["dataset"],
            align_corners=metadata.get("align_corners") == "true",
        )
        names = metadata["backbone"], int(metadata["num_classes"]), metadata["calibration"]
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: damaged metadata ({error}); save the network again") from None
    try:
        model = filled_model(*names, state)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    model.card = card
    return model


def filled_model(
    backbone: str, num_classes: int, calibration: str, state: Mapping[str, Tensor]
) -> EACNet:
    """Build a network around given parameters and buffers, in evaluation mode.

    Raises:
        InputError: the names or shapes in `state` are not those of such a network.
    """
    # No weights are drawn on the meta device: loading leaves the random generator alone.
    with torch.device("meta"):
        model = build_model(backbone, num_classes, calibration)
    expected = model.state_dict()
    if problem := mismatch(expected, state):
        raise InputError(f"no {backbone} network with calibration {calibration}: {problem}")
    state = {
        name: state[name].detach().to("cpu", value.dtype, copy=True)
        for name, value in expected.items()
    }
    model.load_state_dict(state, assign=True)
    return model.eval()


def mismatch(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Say in one line how the names or shapes in `found` differ from those expected, or ""."""
    misshaped = [
        f"{name} {tuple(found[name].shape)} instead of {tuple(value.shape)}"
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    problems = {
        "missing": [name for name in expected if name not in found],
        "not understood": [name for name in found if name not in expected],
        "wrong shape": misshaped,
    }
    return "; ".join(f"{what}: {shortened(names)}" for what, names in problems.items() if names)


def shortened(names: list[str], most: int = 3) -> str:
    """Join the first few names and count the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise InputError(f"{path} is missing: no file with a network's weights")
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no intact safetensors file ({error})") from None


def _sorted_header(content: bytes) -> bytes:
    """Sort the JSON header of safetensors content: the library orders its metadata at random."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]
