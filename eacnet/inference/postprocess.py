"""From coarse class scores to the label map: calibration, upsampling, argmax."""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from eacnet.inference.native import computes, kernels
from eacnet.inference.rewrite import copied
from eacnet.models import EACNet
from eacnet.models.label_map import label_map


def _of_whole_planes(scores: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Do what `label_map` does in two kernels: a GPU would spend its time on starting more."""
    planes = F.interpolate(scores, scale_factor=float(stride), mode="bilinear", align_corners=False)
    return planes[..., : size[0], : size[1]].argmax(1).to(torch.uint8)


class Postprocess:
    """What follows the backbone, the same for every runtime.

    On the processor the project's own kernels do the work where they could be compiled, the
    calibration where its class has one; with a `precision` below float32 what the attention
    multiplies is bfloat16 in it. Otherwise PyTorch's operations do, always in float32.
    """

    def __init__(self, model: EACNet, device: torch.device, precision: str) -> None:
        self.stride = model.stride
        self.step = model.stride // model.calibration.scale  # of calibrated scores
        self.classes = model.num_classes
        self.device = device
        self.calibration = copied(model.calibration).to(device)
        self.kernels = kernels(model.num_classes) if device.type == "cpu" else None
        self.native = (
            self.kernels is not None
            and computes(self.calibration)
            and self.kernels.agrees(self.calibration)
        )
        self.fast = precision != "fp32" and self.native and self.kernels.has_bfloat16

    def calibrated(self, scores: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w)."""
        if self.native:
            return self.kernels.calibrate(self.calibration, scores, self.fast)
        return self.calibration(scores)

    def __call__(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the label map, uint8 (B,H,W), of coarse scores (B,K,h,w); size is (H, W)."""
        calibrated = self.calibrated(scores)
        coarse = scores.shape[-2] < size[0] or scores.shape[-1] < size[1]
        if coarse and self.kernels is not None and self.step % 2 == 0:
            return self.kernels.label_map(calibrated, size, self.step)
        if coarse and self.device.type == "cuda":
            return torch.cat([_of_whole_planes(one[None], size, self.step) for one in calibrated])
        return label_map(calibrated, size, self.stride)

    @cached_property
    def attention_kernel(self) -> str:
        """Name of the kernel that the attention takes here; "none" where there is no attention.

        That of PyTorch is the one its profiler records; "written out" means that there is none and
        the whole attention matrix is stored.
        """
        if not self.calibration.attends:
            return "none"
        if self.native:
            return "eacnet postprocess.cpp, " + ("bfloat16" if self.fast else "float32")
        scores = torch.zeros(1, self.classes, 16, 16, device=self.device)
        with torch.inference_mode(), profile(activities=[ProfilerActivity.CPU]) as record:
            self.calibrated(scores)
        names = {event.key for event in record.key_averages()}
        taken = sorted(n for n in names if n.startswith("aten::_scaled_dot_product"))
        return taken[-1].removeprefix("aten::") if taken else "written out"
