"""Checkpoints of the published networks: the authors', DABNet's and ERFNet's .pth files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.models.checkpoint import filled_model, mismatch, shortened
from eacnet.models.network import EACNet, build_model

Renames = tuple[tuple[str, str], ...]


class Published(NamedTuple):
    """How the checkpoints of one published network are named.

    `head` is a parameter of the classifier with one entry per class, by which the network is known.
    `renames` are the replacements that turn our names into the published ones, applied in order.
    Published names that start with `unused` take no part in the network.
    """

    backbone: str
    head: str
    renames: Renames
    unused: str | None = None


_DAB = (
    (r"^classifier\.", "classifier.0.conv."),
    (r"^backbone\.stem\.", "init_conv."),
    (r"^backbone\.fuse(\d)\.", r"bn_prelu_\1."),
    (r"^backbone\.down(\d)\.conv\.", r"downsample_\1.conv3x3.conv."),
    (r"^backbone\.down(\d)\.", r"downsample_\1."),
    (r"^backbone\.block(\d)\.(\d)\.", r"DAB_Block_\1.DAB_Module_\1_\2."),
    (r"\.before\.", ".bn_relu_1."),
    (r"\.reduce\.", ".conv3x3."),
    (r"\.near\.0\.", ".dconv3x1."),
    (r"\.near\.1\.", ".dconv1x3."),
    (r"\.far\.0\.", ".ddconv3x1."),
    (r"\.far\.1\.", ".ddconv1x3."),
    (r"\.after\.", ".bn_relu_2."),
    (r"\.expand\.", ".conv1x1.conv."),
    (r"\.norm_act\.", ".bn_prelu."),
    (r"\.norm\.", ".bn."),
    (r"\.act\.", ".acti."),
)
_ERF_BLOCKS = (
    (r"\.vertical(\d)\.", r".conv3x1_\1."),
    (r"\.horizontal(\d)\.", r".conv1x3_\1."),
    (r"\.norm(\d?)\.", r".bn\1."),
)
_ERF = (
    (r"^classifier\.", "encoder.output_conv."),
    (r"^backbone\.stem\.", "encoder.initial_block."),
    (r"^backbone\.layers\.", "encoder.layers."),
    *_ERF_BLOCKS,
)
_ERFNET = (
    (r"^classifier\.", "decoder.output_conv."),
    (r"^backbone\.encoder\.stem\.", "encoder.initial_block."),
    (r"^backbone\.encoder\.layers\.", "encoder.layers."),
    (r"^backbone\.decoder\.", "decoder.layers."),
    *_ERF_BLOCKS,
)
_ENET = (
    (r"^backbone\.stem\.conv\.", "encoder.initial.conv."),
    (r"^backbone\.stem\.norm\.", "encoder.initial.batch_norm."),
    (r"^backbone\.stem\.act\.", "encoder.initial.prelu."),
    (r"^backbone\.stage([12])\.(\d)\.", r"encoder.bottleneck_\1_\2."),
    *((rf"^backbone\.stage3\.{i}\.", f"encoder.bottleneck_3_{i + 1}.") for i in range(8)),
    (r"\.reduce\.", ".block1x1_1."),
    (r"\.middle\.", ".middle_block."),
    (r"\.expand\.", ".block1x1_2."),
    (r"(_1|_2|_block)\.conv\.", r"\1.0."),
    (r"(_1|_2|_block)\.norm\.", r"\1.1."),
    (r"(_1|_2|_block)\.act\.", r"\1.2."),
)
# torchvision's names, too.
RESNET18 = (
    (r"^backbone\.(conv|norm)\.", r"\g<1>1."),
    (r"^backbone\.", ""),
    (r"(^|\.)norm(\d)\.", r"\1bn\2."),
    (r"\.shortcut\.", ".downsample."),
)
PUBLISHED = (
    Published("dab", "classifier.0.conv.weight", _DAB),
    Published("erfnet", "decoder.output_conv.bias", _ERFNET, unused="encoder.output_conv."),
    Published("erf", "encoder.output_conv.bias", _ERF),
    Published("enet", "classify.bias", ((r"^classifier\.", "classify."), *_ENET)),
    Published(
        "enet", "encoder.classifier.bias", ((r"^classifier\.", "encoder.classifier."), *_ENET)
    ),
    Published("resnet18", "classify.3.weight", ((r"^classifier\.", "classify."), *RESNET18)),
)
# The calibration's published names. DABNet's tell which one it is, the others' do not.
TOLD = {("dab", "pam"): "full", ("dab", "eac_module"): "pooled"}
CALIBRATION = re.compile(r"^(eac_module|eac|pam)\.")


def load_published(
    source: Path | str | Mapping[str, Any], calibration: str | None = None
) -> EACNet:
    """Load a published checkpoint, in evaluation mode on the CPU.

    The network and its number of classes follow from the parameters' names and shapes.

    Args:
        source: a .pth file, or what it holds: the parameters by their published names, also within
            {"model": ...} or {"state_dict": ...}, also with DataParallel's prefix "module.".
        calibration: "full" or "pooled" where the names do not tell: only DABNet's do, others with
            a calibration are taken as pooled.

    Raises:
        InputError: the file is missing or damaged, holds more than tensors (nothing in it is run),
            or is of another network.
    """
    where = "the state dict" if isinstance(source, Mapping) else str(source)
    state = _parameters(source if isinstance(source, Mapping) else _read(Path(source)), where)

    network = next((network for network in PUBLISHED if network.head in state), None)
    if network is None:
        raise InputError(
            f"{where} is of no network known here: it has none of their classifiers "
            f"({', '.join(network.head for network in PUBLISHED)}); "
            f"not understood: {shortened(list(state))}"
        )
    backbone, num_classes = network.backbone, state[network.head].shape[:1].numel()
    if network.unused:
        state = {name: v for name, v in state.items() if not name.startswith(network.unused)}
    prefix = next((found[1] for name in state if (found := CALIBRATION.match(name))), None)
    told = TOLD.get((backbone, prefix)) if prefix else "none"
    if calibration is None:
        calibration = told or "pooled"
    elif prefix and told and {calibration, told} == {"full", "pooled"}:
        raise InputError(f"{where} holds calibration {told} by its names ({prefix}.*)")
    prefix = prefix or "eac"
    try:
        with torch.device("meta"):
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
    if problem := mismatch({published[name]: value for name, value in ours.items()}, state):
        raise InputError(
            f"{where} looks like {backbone} with calibration {calibration}, but {problem}"
        )
    state = {name: state[other] for name, other in published.items()}
    return filled_model(backbone, num_classes, calibration, state)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path} is missing: no file with published weights")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle can raise anything
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise InputError(
            f"{path} could not be read as a file of tensors, nothing in it was run ({reason})"
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
    return {name.removeprefix("module."): value for name, value in content.items()}


def renamed(name: str, renames: Renames) -> str:
    """Return what our parameter `name` is called elsewhere: `renames` applied in order."""
    for pattern, replacement in renames:
        name = re.sub(pattern, replacement, name)
    return name
