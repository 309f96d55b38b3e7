"""The published form of the network: what the fast predictor is compared with."""

import numpy as np
import torch

from eacnet.inference.folded import card_of
from eacnet.models import EACNet


@torch.inference_mode()
def reference_predict(model: EACNet, image: np.ndarray) -> np.ndarray:
    """Predict as the published code does: slow and plain, on the device of the model.

    NCHW, eager, batch norms as modules, the attention matrix written out, logits of all classes at
    full size, then the largest. float32 throughout.

    Args:
        model: in evaluation mode, float32, contiguous weights, with its card.
        image: uint8 (H,W,3), RGB.

    Returns:
        Class ids, uint8 (H,W).

    Raises:
        InputError: the model has no card, or the image is too small for the network.
    """
    card = card_of(model)
    device = next(model.parameters()).device
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device)
    images = pixels.permute(2, 0, 1).float().contiguous().unsqueeze(0)  # (1,3,H,W)
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (card.mean, card.std))
    scores = model.calibration.written_out(model.evidence((images - mean) / std))
    logits = model.upsample(scores, image.shape[:2])
    return logits.argmax(1)[0].to(torch.uint8).cpu().numpy()
