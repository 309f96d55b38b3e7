"""The networks and forms that the benchmark knows how to build."""

from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from eacnet.data.synthetic import draw_scene
from eacnet.models import EACNet, ModelCard, build_model, load_model
from eacnet.runtime.complexity import complexity
from eacnet.runtime.entries import Entry
from eacnet.runtime.lraspp import lraspp, lraspp_complexity, lraspp_predict
from eacnet.runtime.predictor import Predictor
from eacnet.runtime.published_form import reference_predict
from eacnet.runtime.workers import Contender

# What a form needs, besides PyTorch.
LIBRARIES = {
    "compile": ("torch._inductor.compile_fx",),
    "onnxruntime": ("onnxruntime", "torch.onnx", "onnxscript"),
    "openvino": ("openvino",),
}
SCENE = (512, 1024)
MEAN = [128.0, 128.0, 128.0]


def images(batch: int, height: int, width: int) -> np.ndarray:
    """Return uint8 RGB images (batch,height,width,3): a drawn street, scaled to the size."""
    scene = Image.fromarray(_scene()).resize((width, height), Image.Resampling.BILINEAR)
    return np.stack([np.asarray(scene)] * batch)


def network(entry: Entry, classes: int, seed: int, weights: Path | None = None) -> EACNet:
    """Build the network of an entry, in evaluation mode on the CPU.

    Args:
        entry: of any network but "lraspp".
        classes: K.
        seed: of the random weights, on which speed doesn't depend.
        weights: those of a trained network, used where they are this network's.
    """
    if weights is not None:
        trained = load_model(weights)
        if (trained.backbone_name, trained.calibration_name) == (entry.backbone, entry.calibration):
            return trained
    torch.manual_seed(seed)
    model = build_model(entry.backbone, classes, entry.calibration).eval()
    if entry.calibration != "none":
        nn.init.ones_(model.calibration.gamma)  # so that calibration takes part in the labels
    listed = [{"name": str(k), "category": "", "color": [k, k, k]} for k in range(classes)]
    model.card = ModelCard(classes=listed, mean=MEAN, std=[1.0] * 3)
    return model


def contender(
    entry: Entry, classes: int, seed: int, device: str, weights: Path | None = None
) -> Contender:
    """Build what an entry of the benchmark times.

    Raises:
        InputError: the runtime is not installed, or doesn't know the precision.
    """
    if entry.network == "lraspp":
        model = lraspp(classes, seed).to(device)
        return Contender(partial(lraspp_predict, model), runtime="eager", folded=False)
    model = network(entry, classes, seed, weights)
    if entry.form == "published":
        model.to(device)

        def predict(images: np.ndarray) -> np.ndarray:
            return np.stack([reference_predict(model, image) for image in images])

        return Contender(predict, runtime="eager", folded=False)
    predictor = Predictor(model, runtime=entry.form, precision=entry.precision, device=device)
    return Contender(predictor, predictor.runtime, folded=True)


def cost(entry: Entry, classes: int) -> dict[str, Any]:
    """Return parameters and multiply-accumulates of one image, all and the attention's."""
    if entry.network == "lraspp":
        found = lraspp_complexity(classes, entry.height, entry.width)
    else:
        found = complexity(network(entry, classes, seed=0), entry.height, entry.width)
    return {
        "parameters": found.parameters,
        "macs": found.macs,
        "attention_macs": found.attention_macs,
    }


@cache
def _scene() -> np.ndarray:
    return draw_scene(*SCENE, seed=1)[0]
