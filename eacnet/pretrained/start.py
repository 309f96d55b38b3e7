"""Where a training starts: fresh weights, those of a model file, or ImageNet's."""

from pathlib import Path
from typing import Any

from eacnet.errors import InputError
from eacnet.files import checksum
from eacnet.layout import project
from eacnet.models.checkpoint import load_model
from eacnet.models.network import EACNet, ModelCard, build_model
from eacnet.pretrained.imagenet import download_imagenet, take_imagenet


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
        init: a model file to start from. Whoever feeds the network subtracts that file's mean.
        pretrained: "imagenet" starts a resnet18 from torchvision's weights.

    Returns:
        The network, and the facts of its start: {"init": {"path", "sha256", "mean"} or
        None, "pretrained": names of the layers that were taken or None}.

    Raises:
        InputError: the file is damaged, of another network or other classes, or divides images by
            a deviation; ImageNet's weights can't be loaded.
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
    if path.suffix in (".pth", ".pt"):
        raise InputError(
            f"{path} is no model file; `eacnet convert {path} model.safetensors` makes one of a "
            "published checkpoint"
        )
    found = load_model(path)
    if found.backbone_name != model.backbone_name:
        raise InputError(
            f"{path} holds backbone {found.backbone_name}, but {model.backbone_name} is to be "
            "trained; start from a file of the same backbone"
        )
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
    if found.calibration_name not in ("none", model.calibration_name):
        raise InputError(
            f"{path} holds calibration {found.calibration_name}, but calibration "
            f"{model.calibration_name} is to be trained; start from a file with the same "
            "calibration or with none"
        )
    if any(value != 1 for value in found.card.std):
        raise InputError(
            f"{path} wants images divided by {found.card.std}, and training divides by nothing; "
            "start from a file whose std is 1"
        )
    model.load_state_dict(model.state_dict() | found.state_dict())
    return found.card
