"""Checkpoints of the published networks: .pth files of their authors or of a re-implementation."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from eacnet.errors import InputError, first_line
from eacnet.models.checkpoint import filled_model, mismatch, shortened
from eacnet.models.network import EACNet, build_model
from eacnet.models.outline import outlined
from eacnet.pretrained.names import PUBLISHED, Published, renamed

# The calibration's published names. DABNet's tell which one it is, the others' do not.
TOLD = {("dab", "pam"): "full", ("dab", "eac_module"): "pooled"}
CALIBRATION = re.compile(r"^(eac_module|eac|pam)\.")
# What DataParallel, a wrapper with the loss, and torch.compile put in front; also several of them.
PREFIXES = re.compile(r"^((module|model|_orig_mod)\.)+")
# Class weights that such a wrapper keeps beside the network.
LOSS = re.compile(r"(\w*_)?(loss|criterion)\.")


class Loaded(NamedTuple):
    """A published checkpoint as a network, what is known of it, and which parts were dropped."""

    model: EACNet
    published: Published
    dropped: list[str]


def load_published(
    source: Path | str | Mapping[str, Any], calibration: str | None = None
) -> EACNet:
    """Load a published checkpoint, in evaluation mode on the CPU.

    The network and its number of classes follow from the parameters' names and shapes. Auxiliary
    heads, which only training needs, are left out.

    Args:
        source: a .pth file, or what it holds: the parameters by their published names, also within
            {"model": ...} or {"state_dict": ...}, also with the prefixes "module." of DataParallel,
            "model." of a wrapper with the loss, "_orig_mod." of torch.compile.
        calibration: "full" or "pooled" where the names do not tell: only DABNet's do, others with
            a calibration are taken as pooled.

    Raises:
        InputError: the file is missing or damaged, holds more than tensors (nothing in it is run),
            or is of another network.
    """
    return read_published(source, calibration).model


def read_published(
    source: Path | str | Mapping[str, Any], calibration: str | None = None
) -> Loaded:
    """Load a published checkpoint as `load_published`, with what is known about it."""
    where = "the state dict" if isinstance(source, Mapping) else str(source)
    state = _parameters(source if isinstance(source, Mapping) else _read(Path(source)), where)

    network = next(
        (each for each in PUBLISHED if {each.head, each.mark or each.head} <= set(state)), None
    )
    if network is None:
        heads = dict.fromkeys(each.head for each in PUBLISHED)
        raise InputError(
            f"{where} is of no network known here: it has none of their classifiers "
            f"({', '.join(heads)}); not understood: {shortened(list(state))}"
        )
    backbone, num_classes = network.backbone, state[network.head].shape[:1].numel()
    unused = re.compile(rf"{network.auxiliary}|{LOSS.pattern}")
    dropped = [found[0].rstrip(".") for name in state if (found := unused.match(name))]
    state = {name: value for name, value in state.items() if not unused.match(name)}
    prefix = next((found[1] for name in state if (found := CALIBRATION.match(name))), None)
    told = TOLD.get((backbone, prefix)) if prefix else "none"
    if calibration is None:
        calibration = told or "pooled"
    elif prefix and told and {calibration, told} == {"full", "pooled"}:
        raise InputError(f"{where} holds calibration {told} by its names ({prefix}.*)")
    prefix = prefix or "eac"
    try:
        with outlined():
            ours = build_model(backbone, num_classes, calibration).state_dict()
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    renames = (
        (r"^calibration\.(query|key|value)\.", rf"{prefix}.\1_conv."),
        (r"^calibration\.", f"{prefix}."),
        *network.renames,
    )
    published = {name: renamed(name, renames) for name in ours}
    for name in published.values():
        # Files from before PyTorch 0.4.1 hold no batch counters; nothing here depends on them.
        if name.endswith(".num_batches_tracked"):
            state.setdefault(name, torch.tensor(0))
    for name, other in published.items():
        # Linear layers on single pixels are 1x1 convolutions here.
        if other in state and state[other].ndim == 2 and ours[name].shape[2:] == (1, 1):
            state[other] = state[other][..., None, None]
    if problem := mismatch({published[name]: value for name, value in ours.items()}, state):
        raise InputError(
            f"{where} looks like {backbone} with calibration {calibration}, but {problem}"
        )
    state = {name: state[other] for name, other in published.items()}
    model = filled_model(backbone, num_classes, calibration, state)
    return Loaded(model, network, list(dict.fromkeys(dropped)))


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path} is missing: no file with published weights")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle can raise anything
        raise InputError(
            f"{path} could not be read as a file of tensors, nothing in it was run "
            f"({first_line(error)})"
        ) from None


def _parameters(content: Any, where: str) -> dict[str, Tensor]:
    """Return the parameters by their published names, out of whatever they are wrapped in."""
    for key in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        raise InputError(f"{where} holds no parameters by name")
    strangers = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if strangers:
        raise InputError(f"{where} holds more than tensors: {shortened(strangers)}")
    return {PREFIXES.sub("", name): value for name, value in content.items()}
