"""Where a training starts: fresh weights, those of a model file, or ImageNet's."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eacnet.errors import InputError
from eacnet.files import checksum
from eacnet.layout import project
from eacnet.models.checkpoint import load_model
from eacnet.models.network import EACNet, ModelCard, build_model
from eacnet.pretrained.fit import check_fit, check_format
from eacnet.pretrained.imagenet import download_imagenet, take_imagenet

# Norms that read the image beside features, in their last three channels.
BESIDE_FEATURES = {
    "dab": ("fuse1.norm", "fuse2.norm", "fuse3.norm"),
    "cgnet": ("b1.bn", "bn_prelu_2.bn"),
    "erf": ("stem.norm",),
    "erfnet": ("encoder.stem.norm",),
}


def initial_model(
    backbone: str,
    calibration: str,
    classes: list[dict[str, Any]],
    mean: list[float],
    init: str | None = None,
    pretrained: str = "none",
) -> tuple[EACNet, dict[str, Any]]:
    """Build the network that a training starts from, and say what it starts from.

    Fresh weights are drawn from PyTorch's global generator, the same whether or not others replace
    some of them. A network with calibration may start from a file without: its calibration stays
    fresh, with gamma 0, so it starts exactly at the file's predictions.

    Args:
        backbone: as in `build_model`.
        calibration: as in `build_model`.
        classes: what the training data's class table says: one {"name", ...} a class.
        mean: RGB mean of the training data, 0..255, which ImageNet's weights are fitted to.
        init: a model file to start from. Whoever feeds the network subtracts that file's mean, and
            divides by nothing: the weights take in what the file's images were divided by.
        pretrained: "imagenet" starts a resnet18 from torchvision's weights.

    Returns:
        The network, and the facts of its start: {"init": {"path", "sha256", "mean"} or
        None, "pretrained": names of the layers that were taken or None}.

    Raises:
        InputError: the file is damaged, of another network or other classes, or divides images by
            a deviation that this network can't take in; ImageNet's weights can't be loaded.
    """
    model = build_model(backbone, len(classes), calibration)
    facts: dict[str, Any] = {"init": None, "pretrained": None}
    if init is not None:
        path = project() / init
        card = _take_file(model, path, classes)
        facts["init"] = {"path": init, "sha256": checksum(path), "mean": card.mean}
    if pretrained == "imagenet":
        facts["pretrained"] = take_imagenet(model.backbone, download_imagenet(), mean)
    return model, facts


def describe_start(facts: dict[str, Any]) -> str:
    """Say what `initial_model` started from, for a line that begins with the run's name."""
    if facts["init"]:
        return f"starts from {facts['init']['path']}"
    if facts["pretrained"] is not None:
        return f"starts from ImageNet's weights in {', '.join(facts['pretrained'])}"
    return "starts from fresh weights"


def _take_file(model: EACNet, path: Path, classes: list[dict[str, Any]]) -> ModelCard:
    check_format(path)
    found = load_model(path)
    names = (each for one in (found, model) for each in (one.backbone_name, one.calibration_name))
    check_fit(path, *names)
    ours, theirs = ([entry["name"] for entry in table] for table in (classes, found.card.classes))
    if len(ours) != len(theirs):
        raise InputError(
            f"{path} predicts {len(theirs)} classes, the data has {len(ours)}; start from a file "
            "of the same classes"
        )
    if other := [pair for pair in zip(theirs, ours, strict=True) if pair[0] != pair[1]]:
        raise InputError(
            f"{path} predicts {other[0][0]!r} where the data has {other[0][1]!r}; start from a "
            "file of the same classes"
        )
    if any(value != 1 for value in found.card.std):
        _take_in(found, path)
    model.load_state_dict(model.state_dict() | found.state_dict())
    return found.card


@torch.no_grad()
def _take_in(model: EACNet, path: Path) -> None:
    """Make a network take images as they are that it wanted divided by its card's std, in place.

    Zeros around the image are its mean in both, so the predictions stay the same up to its border.
    """
    std = torch.tensor(model.card.std)
    images = 60 * torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    before = model.evidence(images / std.view(3, 1, 1))
    backbone, guide = model.backbone, model.calibration.guide
    for layer in (*backbone.modules(), *(guide.modules() if guide is not None else ())):
        if isinstance(layer, nn.Conv2d) and layer.in_channels == 3:
            layer.weight /= std.view(3, 1, 1)
    for name in BESIDE_FEATURES.get(model.backbone_name, ()):
        norm = backbone.get_submodule(name)
        norm.running_mean[-3:] *= std
        norm.running_var[-3:] = (norm.running_var[-3:] + norm.eps) * std**2 - norm.eps
    if model.backbone_name == "enet":
        _take_in_enet(model, std)
    error = (model.evidence(images) - before).abs().max() / before.abs().max()
    if not error < 1e-3:  # a wrong channel shows in every digit
        raise InputError(
            f"{path} wants images divided by {model.card.std}, and {model.backbone_name} reads them"
            " where its weights can't take that in; start from a file whose std is 1"
        )


def _take_in_enet(model: EACNet, std: Tensor) -> None:
    """Let ENet's residual sum carry the undivided image, which is in it from channel 13 on."""
    image = slice(13, 16)
    stages = (model.backbone.stage1, model.backbone.stage2, model.backbone.stage3)
    for block in (block for stage in stages for block in stage):
        block.reduce.conv.weight[:, image] /= std.view(3, 1, 1)
        block.expand.norm.weight[image] *= std
        block.expand.norm.bias[image] *= std
    model.classifier.weight[:, image] /= std.view(3, 1, 1)
