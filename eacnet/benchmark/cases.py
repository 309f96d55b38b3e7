"""The networks and forms that the benchmark knows how to build."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from eacnet.benchmark.entries import Entry
from eacnet.benchmark.lraspp import lraspp, lraspp_complexity, lraspp_predict
from eacnet.benchmark.published_form import reference_predict
from eacnet.benchmark.samples import DRAWN, ImageSource
from eacnet.benchmark.workers import Contender
from eacnet.inference.predictor import Predictor
from eacnet.models import EACNet, ModelCard, build_model, load_model
from eacnet.models.complexity import complexity
from eacnet.scenes import draw_scene

MEAN = [128.0, 128.0, 128.0]


def network(entry: Entry, classes: int, seed: int, weights: Path | None = None) -> EACNet:
    """Build the network of an entry, in evaluation mode on the CPU.

    Args:
        entry: of any network but "lraspp".
        classes: K.
        seed: of the random weights. Speed hardly depends on weights: the attention's own kernel
            skips more of what can't matter where scores are far apart, as they are when trained.
        weights: those of a trained network, used where they are this network's.
    """
    if weights is not None:
        trained = load_model(weights)
        if (trained.backbone_name, trained.calibration_name) == (entry.backbone, entry.calibration):
            return trained
    torch.manual_seed(seed)
    model = build_model(entry.backbone, classes, entry.calibration).eval()
    listed = [{"name": str(k), "category": "", "color": [k, k, k]} for k in range(classes)]
    model.card = ModelCard(classes=listed, mean=MEAN, std=[1.0] * 3)
    _tell_classes_apart(model)
    return model


def contender(
    entry: Entry,
    classes: int,
    seed: int,
    device: str,
    weights: Path | None = None,
    pictures: ImageSource = DRAWN,
) -> Contender:
    """Build what an entry of the benchmark times.

    Args:
        entry: what.
        classes: K.
        seed: of random weights.
        device: "cpu" or "cuda".
        weights: as for `network`.
        pictures: from which int8 takes its ranges, and on which "auto" tries itself.

    Raises:
        InputError: the runtime is not installed, or doesn't know the precision.
    """
    if entry.network == "lraspp":
        model = lraspp(classes, seed).to(device)
        return Contender(partial(lraspp_predict, model), "eager", "fp32", False, "none")
    model = network(entry, classes, seed, weights)
    if entry.form == "published":
        model.to(device)

        def predict(images: np.ndarray) -> np.ndarray:
            return np.stack([reference_predict(model, image) for image in images])

        kernel = "written out" if model.calibration.attends else "none"
        return Contender(predict, "eager", "fp32", False, kernel)
    needed = entry.precision == "int8" or "auto" in (entry.form, entry.precision)
    predictor = Predictor(
        model,
        runtime=entry.form,
        precision=entry.precision,
        device=device,
        samples=pictures.samples(entry.height, entry.width) if needed else None,
    )
    facts = (predictor.runtime, predictor.precision, True, predictor.attention_kernel)
    return Contender(predictor, *facts, choice=predictor.choice)


def cost(entry: Entry, classes: int) -> dict[str, Any]:
    """Return parameters and multiply-accumulates of one image, all and the attention's."""
    if entry.network == "lraspp":
        found = lraspp_complexity(classes, entry.height, entry.width)
    else:
        with torch.device("meta"):
            model = build_model(entry.backbone, classes, entry.calibration)
        found = complexity(model, entry.height, entry.width)
    return {
        "parameters": found.parameters,
        "macs": found.macs,
        "attention_macs": found.attention_macs,
    }


@torch.no_grad()
def _tell_classes_apart(model: EACNet) -> None:
    """Make random weights give label maps in which a wrong score shows.

    What all positions have in common is taken out of the classifier, or one class would win
    everywhere; the calibration takes part, on scores so close that attention goes far.
    """
    last = [layer for layer in model.classifier.modules() if hasattr(layer, "weight")][-1]
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
    for parameter in model.calibration.parameters():
        if not parameter.any():  # a fresh calibration changes nothing
            nn.init.uniform_(parameter, 0.5, 1)
