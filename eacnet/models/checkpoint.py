"""One safetensors file per network: weights, how to build it, and its card as metadata."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from eacnet.errors import InputError
from eacnet.files import check_file, write_bytes
from eacnet.models.network import EACNet, ModelCard, build_model
from eacnet.models.outline import outlined

FORMAT = "1"
# Of the numbers that networks compute in.
_MOST, _LEAST = torch.finfo(torch.float32).max, torch.finfo(torch.float32).tiny


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
        InputError: the card does not fit the network, a weight is not finite, `load_model` would
            not give the network back, or something else than a file is at `path`.
    """
    if str(path).endswith(("/", os.sep)):
        raise InputError(f"{path} names a folder; name a file to write")
    check_file(Path(path))
    state = {
        name: value.cpu().contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith("auxiliary.")
    }
    card = ModelCard(classes, mean, std, dataset)
    problem = unfit_card(card, model.num_classes) or unfit_values(state) or _changed(model, state)
    if problem:
        raise InputError(f"{path}: {problem}")
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
    write_bytes(Path(path), _sorted_header(safetensors.torch.save(state, metadata)))


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
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged metadata ({error}); save the network again") from None
    if problem := unfit_card(card, names[1]):
        raise InputError(f"{path}: {problem}; save the network again")
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
        InputError: the names, shapes or values in `state` are not those of such a network.
    """
    # Loading leaves the random generator alone.
    with outlined():
        model = build_model(backbone, num_classes, calibration)
    expected = model.state_dict()
    problem = mismatch(expected, state)
    if not problem:
        # What a wider number format holds may be infinite in the network's.
        state = {
            name: state[name].detach().to("cpu", value.dtype, copy=True)
            for name, value in expected.items()
        }
        problem = unfit_values(state)
    if problem:
        raise InputError(f"no {backbone} network with calibration {calibration}: {problem}")
    model.load_state_dict(state, assign=True)
    return model.eval()


def mismatch(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """Say in one line how names, shapes or kinds in `found` differ from those expected, or ""."""
    misshaped = [
        f"{name} {tuple(found[name].shape)} instead of {tuple(value.shape)}"
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    whole = [
        name
        for name, value in expected.items()
        if name in found and value.is_floating_point() and not found[name].is_floating_point()
    ]
    problems = {
        "missing": [name for name in expected if name not in found],
        "not understood": [name for name in found if name not in expected],
        "wrong shape": misshaped,
        "no floating point": whole,
    }
    return "; ".join(f"{what}: {shortened(names)}" for what, names in problems.items() if names)


def _changed(model: EACNet, state: Mapping[str, Tensor]) -> str:
    """Say in one line why `load_model` would not give this network back, or ""."""
    name, calibration = model.backbone_name, model.calibration_name
    with outlined():
        fresh = build_model(name, model.num_classes, calibration)
    kinds, found = ({n: type(m) for n, m in one.named_modules()} for one in (fresh, model))
    other = [
        f"{n or 'the network'} is a {found[n].__name__}" if n in found else f"{n} is not there"
        for n in [*kinds, *found]
        if found.get(n) is not kinds.get(n) and n.partition(".")[0] != "auxiliary"
    ]
    problem = other[0] if other else mismatch(fresh.state_dict(), state)
    return problem and (
        f"the network is not what build_model({name!r}, {model.num_classes}, {calibration!r})"
        f" makes, as which the file would be read: {problem}; torch.save keeps its state_dict()"
    )


def unfit_card(card: ModelCard, num_classes: int) -> str:
    """Say in one line why a card fits no network of so many classes, or ""."""
    if not isinstance(card.classes, list) or len(card.classes) != num_classes:
        count = len(card.classes) if isinstance(card.classes, list) else repr(card.classes)
        return f"{count} classes described, the network predicts {num_classes}"
    for entry in card.classes:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            return f"class {entry!r:.60} has no name"
        if "color" in entry and not _is_color(entry["color"]):
            return (
                f"class {entry['name']!r} has color {entry['color']!r:.60}, not three of 0 to 255"
            )
    names = [entry["name"] for entry in card.classes]
    if twice := [name for name in names if names.count(name) > 1]:
        return f"two classes are named {twice[0]!r}"
    for name, values, least in (("mean", card.mean, -_MOST), ("std", card.std, _LEAST)):
        if (
            not isinstance(values, (list, tuple))
            or len(values) != 3
            or not all(map(_is_finite, values))
        ):
            return f"{name} is {values!r:.60}, not three finite numbers"
        if min(values) < least:
            return f"{name} is {values}, and must be greater than 0"
    return "" if isinstance(card.dataset, str) else f"dataset is {card.dataset!r:.60}, no name"


def unfit_values(state: Mapping[str, Tensor]) -> str:
    """Say in one line which parameters or statistics no network can compute with, or ""."""
    bad = [
        name
        for name, value in state.items()
        if value.is_floating_point()
        and not (value.isfinite().all() and (value.min() >= 0 or not name.endswith("running_var")))
    ]
    return f"not finite, or a negative variance: {shortened(bad)}" if bad else ""


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


def _is_finite(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and -_MOST <= value <= _MOST


def _is_color(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and all(isinstance(each, int) and 0 <= each <= 255 for each in value)
    )


def _sorted_header(content: bytes) -> bytes:
    """Sort the JSON header of safetensors content: the library orders its metadata at random."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]
