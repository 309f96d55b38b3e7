"""Building what a case of the benchmark times: any network by its name, in any form."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from eacnet.benchmark.cases import Case
from eacnet.benchmark.published_form import reference_predict
from eacnet.benchmark.samples import ImageSource
from eacnet.config.names import BASELINES
from eacnet.inference.predictor import Predictor
from eacnet.models import EACNet, ModelCard, build_model, load_model
from eacnet.models.complexity import complexity
from eacnet.models.outline import outlined
from eacnet.scenes import draw_scene

MEAN = [128.0, 128.0, 128.0]


@dataclass(frozen=True)
class Setup:
    """What all cases of a benchmark share.

    Attributes:
        classes: K of every network.
        seed: of random weights. Speed hardly depends on weights: the attention's own kernel skips
            more of what can't matter where scores are far apart, as they are when trained.
        device: "cpu" or "cuda".
        images: what is predicted, from which int8 takes its ranges, on which "auto" tries itself.
        weights: a file of `eacnet.save_model`; its network is timed with these.
    """

    classes: int
    seed: int
    device: str
    images: ImageSource
    weights: Path | None = None

    def network(self, name: str) -> EACNet:
        """Build a network by the name that plans give it, in evaluation mode on the CPU."""
        backbone, _, calibration = name.partition("-")
        if self.weights is not None:
            trained = load_model(self.weights)
            if name_of(trained) == name:
                return trained
        torch.manual_seed(self.seed)
        model = build_model(backbone, self.classes, calibration or "none").eval()
        listed = [{"name": str(k), "category": "", "color": [k] * 3} for k in range(self.classes)]
        model.card = ModelCard(classes=listed, mean=MEAN, std=[1.0] * 3)
        _tell_classes_apart(model)
        return model

    def build(self, case: Case) -> "Predictor | PublishedForm":
        """Build what a case times: images (B,H,W,3) uint8 -> label maps (B,H,W) uint8.

        Raises:
            InputError: the runtime is not installed, or doesn't know the precision.
        """
        model = self.network(case.network)
        if case.form == "published":
            return PublishedForm(model.to(self.device))
        needed = case.precision == "int8" or "auto" in (case.form, case.precision)
        return Predictor(
            model,
            runtime=case.form,
            precision=case.precision,
            device=self.device,
            samples=self.images.samples(case.height, case.width) if needed else None,
        )

    def cost(self, case: Case) -> dict[str, Any]:
        """Return parameters and multiply-accumulates of one image, all and the attention's."""
        with outlined():
            model = build_model(case.backbone, self.classes, case.calibration)
        return vars(complexity(model, case.height, case.width))


class PublishedForm:
    """The published form of a network, with what a `Predictor` says of itself."""

    runtime, precision, choice = "eager", "fp32", None

    def __init__(self, model: EACNet) -> None:
        self.model = model
        self.attention_kernel = "written out" if model.calibration.attends else "none"

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Predict images one by one."""
        return np.stack([reference_predict(self.model, image) for image in images])


def name_of(model: EACNet) -> str:
    """Return the name that plans give a network: a baseline has no calibration in its name."""
    calibrated = f"{model.backbone_name}-{model.calibration_name}"
    return model.backbone_name if model.backbone_name in BASELINES else calibrated


@torch.no_grad()
def _tell_classes_apart(model: EACNet) -> None:
    """Make random weights give label maps in which a wrong score shows.

    What all positions have in common is taken out of the classifier, or one class would win
    everywhere; the calibration takes part, on scores so close that attention goes far.
    """
    kinds = nn.Conv2d | nn.ConvTranspose2d
    last = [layer for layer in model.classifier.modules() if isinstance(layer, kinds)][-1]
    seen: list[torch.Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    scene = torch.from_numpy(draw_scene(128, 256, seed=1)[0])
    pixels = (scene - torch.tensor(MEAN)).permute(2, 0, 1).unsqueeze(0)
    model.coarse(pixels)
    hook.remove()
    axis = 0 if isinstance(last, nn.ConvTranspose2d) else 1
    shape = [-1 if index == axis else 1 for index in range(4)]
    common = nn.functional.normalize(seen[0].mean((0, 2, 3)), dim=0).view(shape)
    last.weight -= common * (last.weight * common).sum(axis, keepdim=True)
    last.weight /= model.coarse(pixels).std()
    if last.bias is not None:
        last.bias -= model.coarse(pixels).mean((0, 2, 3))
    for parameter in model.calibration.parameters():
        if not parameter.any():  # a fresh calibration changes nothing
            nn.init.uniform_(parameter, 0.5, 1)
            parameter /= parameter[0].numel()
