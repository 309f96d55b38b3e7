"""torchvision's LRASPP with MobileNetV3, which a user would pick instead."""

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.segmentation import lraspp_mobilenet_v3_large

from eacnet.models.complexity import Complexity

# What torchvision's weights are trained with, on the scale 0..255.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


def lraspp(classes: int, seed: int) -> nn.Module:
    """Build it with random weights, on which its speed doesn't depend, in evaluation mode."""
    torch.manual_seed(seed)
    model = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=classes)
    return model.eval().requires_grad_(False)


@torch.inference_mode()
def lraspp_predict(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """Predict as its documentation does: uint8 (B,H,W,3) -> class ids, uint8 (B,H,W)."""
    device = next(model.parameters()).device
    mean, std = (torch.tensor(value, device=device).view(1, 3, 1, 1) for value in (MEAN, STD))
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float()
    logits = model((pixels - mean) / std)["out"]
    return logits.argmax(1).to(torch.uint8).cpu().numpy()


def lraspp_complexity(classes: int, height: int, width: int) -> Complexity:
    """Count the cost of one image, as `complexity` does for the project's own networks."""
    with torch.device("meta"):
        model = lraspp(classes, seed=0)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            model(torch.empty(1, 3, height, width))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Complexity(parameters, counter.get_total_flops() // 2, attention_macs=0)
