"""How much a network computes: parameters and multiply-accumulates, from shapes alone."""

from dataclasses import dataclass

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from eacnet.models import EACNet, build_model


@dataclass(frozen=True)
class Complexity:
    """Cost of one image.

    Attributes:
        parameters: trained numbers.
        macs: multiply-accumulates of all convolutions and matrix products. Norms, activations,
            pooling, softmax and upsampling are not counted, as is the custom of the field.
        attention_macs: those of `macs` in the products of the attention, query x key and
            attention x value, which many counters miss.
    """

    parameters: int
    macs: int
    attention_macs: int


def complexity(model: EACNet, height: int, width: int) -> Complexity:
    """Count what one image of height x width pixels costs.

    Counted is the network as it is defined, on tensors without content: neither the device nor the
    kernels that it runs with, which may pad the classes, change the figures, and no memory is used.

    Raises:
        InputError: the image is too small for the network.
    """
    with FakeTensorMode(), torch.no_grad():
        twin = build_model(model.backbone_name, model.num_classes, model.calibration_name).eval()
        images = torch.empty(1, 3, height, width)
        with FlopCounterMode(display=False) as counter:
            coarse = twin.coarse(images)
    # A multiply-accumulate is two operations.
    backbone = counter.get_total_flops() // 2
    calibration = model.calibration.macs(model.num_classes, *coarse.shape[-2:])
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Complexity(parameters, backbone + calibration.total, calibration.attention)
