"""The network: backbone -> classifier -> calibration -> upsampling."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.config.names import BACKBONES, BASELINES, CALIBRATIONS
from eacnet.errors import InputError
from eacnet.models.attention import Calibration
from eacnet.models.backbones.layers import resized

NETWORKS = {**BACKBONES, **BASELINES}


@dataclass(frozen=True)
class ModelCard:
    """What the weights of a network were trained on, and so how to use them.

    `classes` has one {"name", "category", "color"} a class; images are fed as (image - mean) / std,
    per RGB channel on the scale 0..255. `align_corners` says that the weights were published with
    an upsampling that puts the outer scores onto the image's corners: this project's, in training
    and in inference, puts every score into the centre of its pixels, as `align_corners=False` does.
    """

    classes: list[dict[str, Any]]
    mean: list[float]
    std: list[float]
    dataset: str = ""
    align_corners: bool = False


class EACNet(nn.Module):
    """A segmentation network of a backbone, its classifier and a calibration of the class scores.

    `stride` is the step in pixels from one coarse score to the next; `card` is set by `load_model`.
    """

    card: ModelCard | None = None

    def __init__(self, backbone: str, num_classes: int, calibration: str) -> None:
        super().__init__()
        self.auxiliary: nn.ModuleDict | None = None
        self.backbone_name = backbone
        self.calibration_name = calibration
        self.num_classes = num_classes
        self.backbone = make_backbone(backbone)
        self.stride: int = self.backbone.stride
        # What the sides of an image are padded to: some backbones need more than whole scores.
        self.multiple: int = getattr(self.backbone, "multiple", self.stride)
        self.classifier = self.backbone.classifier(num_classes)
        self.calibration = make_calibration(calibration, num_classes)
        if self.calibration.guide is not None and self.stride % 8:
            raise InputError(
                f"calibration {calibration} takes scores that are 8 pixels or a multiple apart; "
                f"those of backbone {backbone} are {self.stride} apart"
            )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), float and normalised, of any size to logits (B,K,H,W).

        Raises:
            InputError: the images are too small for the network.
        """
        return self.upsample(self.calibration(self.evidence(images)), images.shape[-2:])

    def coarse(self, images: Tensor) -> Tensor:
        """Return the logits before calibration, (B,K,ceil(H/stride),ceil(W/stride)).

        The erfnet baseline yields them at full size, padded to multiples of the stride.
        """
        return self._coarse(self.evidence(images))

    def evidence(self, images: Tensor) -> Tensor:
        """Return what the calibration takes: `coarse`, and behind it what its guide sees."""
        padded = self._pad(images)
        return self._evidence(self.backbone(padded), padded, images)

    def _evidence(self, features: Tensor, padded: Tensor, images: Tensor) -> Tensor:
        scores = self.classifier(features)
        if self.calibration.guide is not None:
            seen = self.calibration.guide(shrunk(padded, self.stride))
            scores = torch.cat((scores, seen), 1)
        padded_further = self.multiple > self.stride
        return cropped(scores, images.shape[-2:], self.stride) if padded_further else scores

    def _coarse(self, evidence: Tensor) -> Tensor:
        return evidence[:, : self.num_classes] if self.calibration.guide is not None else evidence

    def add_auxiliary(self) -> None:
        """Give the network the auxiliary heads that its backbone is trained with, fresh.

        They take part in `with_auxiliary` alone, and are in no model file.
        """
        self.auxiliary = self.backbone.auxiliary(self.num_classes)
        _draw(self.auxiliary)

    def with_auxiliary(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the logits as `forward` does, and each auxiliary head's, (B,K or 1,H,W)."""
        padded = self._pad(images)
        height, width = images.shape[-2:]
        features, inner = self.backbone.inner(padded)
        evidence = self._evidence(features, padded, images)
        logits = self.upsample(self.calibration(evidence), (height, width))
        others = {name: resized(head(inner[name]), padded) for name, head in self.auxiliary.items()}
        return logits, {name: each[..., :height, :width] for name, each in others.items()}

    def scores(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits before and after calibration from a single pass.

        Both are as `coarse`, but that a calibration may make them `scale` times finer.
        """
        evidence = self.evidence(images)
        return self._coarse(evidence), self.calibration(evidence)

    def upsample(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """Interpolate scores (B,K,h,w) of images of `size` (H,W) to logits (B,K,H,W)."""
        height, width = size
        padded = (height + -height % self.stride, width + -width % self.stride)
        if scores.shape[-2:] != padded:
            scores = F.interpolate(scores, padded, mode="bilinear", align_corners=False)
        return scores[..., :height, :width]

    def check_size(self, height: int, width: int) -> None:
        """Refuse images that leave too little to calibrate or to score.

        Raises:
            InputError: images of this size are too small for the network.
        """
        # One pixel starts a new row of scores: the rest of it is padded.
        smallest = (self.calibration.smallest - 1) * self.stride + 1
        if min(height, width) < smallest:
            raise InputError(
                f"images of {height}x{width} pixels are too small: {self.backbone_name} with "
                f"calibration {self.calibration_name} needs at least {smallest}x{smallest}"
            )

    def _pad(self, images: Tensor) -> Tensor:
        """Pad right and bottom to whole multiples with 0, the mean colour."""
        height, width = images.shape[-2:]
        self.check_size(height, width)
        down, right = -height % self.multiple, -width % self.multiple
        return F.pad(images, (0, right, 0, down)) if down or right else images


def shrunk(images: Tensor, stride: int) -> Tensor:
    """Return images (B,3,H,W) as a guide takes them: with 8 pixels from one score to the next."""
    return F.avg_pool2d(images, stride // 8) if stride > 8 else images


def cropped(scores: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Return those coarse scores (B,K,h,w) of padded images that lie on images of `size` (H,W)."""
    rows, columns = ((length + stride - 1) // stride for length in size)
    return scores[..., :rows, :columns]


def make_backbone(name: str) -> nn.Module:
    """Return a backbone: it maps images (B,3,H,W) to features (B,out_channels,H/stride,W/stride).

    H and W are multiples of its stride, or of its `multiple` where it has one. Its method
    `classifier` makes the layer that suits its features.
    """
    return getattr(import_module(f"eacnet.models.backbones.{name}"), NETWORKS[name])()


def make_calibration(name: str, num_classes: int) -> Calibration:
    """Return a calibration as its class is made, see `CALIBRATIONS`."""
    file, _, kind = (CALIBRATIONS[name] or "Uncalibrated").rpartition(".")
    return getattr(import_module(f"eacnet.models.{file or 'attention'}"), kind)(num_classes)


def build_model(
    backbone: str = "dab", num_classes: int = 19, calibration: str = "pooled"
) -> EACNet:
    """Build a network with fresh weights.

    Convolutions are drawn from Kaiming's normal distribution (fan-in), norms start at 1 and 0,
    PReLUs at 0.25; the calibration changes nothing. Draws from PyTorch's global generator.

    Args:
        backbone: dab, erf, enet, resnet18, pidnet_s, ddrnet23_slim, bisenetv2, fast_scnn, cgnet, or
            the baselines erfnet and lraspp.
        num_classes: K, at least 2.
        calibration: "none"; "full" (every position attends to all) or "pooled" (the paper's); or
            a control that convolves the scores: "point" (1x1) or "local" (3x3); or "edge", which
            upsamples them along the image's edges.

    Raises:
        InputError: an argument is not one of these.
    """
    if backbone not in NETWORKS:
        raise InputError(f"unknown backbone {backbone!r}; choose one of {', '.join(NETWORKS)}")
    if calibration not in CALIBRATIONS:
        raise InputError(
            f"unknown calibration {calibration!r}; choose one of {', '.join(CALIBRATIONS)}"
        )
    if backbone in BASELINES and calibration != "none":
        raise InputError(
            f"backbone {backbone} has no coarse scores to calibrate: choose calibration none, or "
            f"for calibration {calibration} one of {', '.join(BACKBONES)}"
        )
    if num_classes < 2:
        raise InputError(f"num_classes is {num_classes}; a network needs at least 2 classes")
    model = EACNet(backbone, num_classes, calibration)
    _draw(model.backbone)
    _draw(model.classifier)
    model.calibration.reset_parameters()
    return model


def _draw(layers: nn.Module) -> None:
    for module in layers.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
