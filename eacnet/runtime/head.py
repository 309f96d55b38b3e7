"""From coarse class scores to the label map: calibration, upsampling, argmax."""

import copy
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from eacnet.models import EACNet
from eacnet.runtime.label_map import label_map


class Head:
    """What follows the backbone, the same for every runtime."""

    def __init__(self, model: EACNet, device: torch.device, precision: str) -> None:
        self.stride = model.stride
        self.classes = model.num_classes
        self.device = device
        self.calibration = copy.deepcopy(model.calibration).to(device).requires_grad_(False).eval()

    def calibrated(self, scores: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w)."""
        return self.calibration(scores)

    def __call__(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the label map, uint8 (B,H,W), of coarse scores (B,K,h,w); size is (H, W)."""
        return label_map(self.calibrated(scores), size, self.stride)

    @cached_property
    def attention_kernel(self) -> str:
        """Name of the kernel that the attention takes here, as PyTorch's profiler records it."""
        if isinstance(self.calibration, nn.Identity):
            return "none"
        scores = torch.zeros(1, self.classes, 16, 16, device=self.device)
        with torch.inference_mode(), profile(activities=[ProfilerActivity.CPU]) as record:
            self.calibrated(scores)
        names = {event.key for event in record.key_averages()}
        kernels = sorted(n for n in names if n.startswith("aten::_scaled_dot_product"))
        # The plain form splits up into products and a softmax.
        return kernels[-1].removeprefix("aten::") if kernels else "written out"
