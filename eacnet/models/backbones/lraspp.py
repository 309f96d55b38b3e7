"""torchvision's LRASPP with MobileNetV3, a baseline (Howard et al.; ICCV 2019)."""

from torch import Tensor, nn
from torchvision.models.segmentation import lraspp_mobilenet_v3_large
from torchvision.models.segmentation.lraspp import LRASPPHead


class LRASPP(nn.Module):
    """MobileNetV3-Large with a dilated last stage; the classifier joins maps of 1/8 and 1/16."""

    out_channels = 960
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        whole = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None)
        self.features = whole.backbone

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (B,3,H,W) to {"low": (B,40,H/8,W/8), "high": (B,960,H/16,W/16)}."""
        return self.features(images)

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the head that maps both to class scores (B,num_classes,H/8,W/8)."""
        return LRASPPHead(40, self.out_channels, num_classes, 128)
