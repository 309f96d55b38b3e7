"""ERFNet with its own decoder, a baseline (Romera et al.; "ERFNet", T-ITS 2018)."""

from collections import OrderedDict

from torch import Tensor, nn

from eacnet.models.backbones.erf import ERF, NonBottleneck1D


class ERFNet(nn.Module):
    """The ERF encoder and a decoder to 1/2; the classifier then yields scores at full size.

    Its parameters at K=19 are 2,064,191: the published 2,066,642 count the 1x1 classifier (2,451)
    that the encoder was trained with alone, and that takes no part in this network.
    """

    out_channels = 16
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ERF()
        self.decoder = nn.Sequential(
            _upsampling(128, 64),
            NonBottleneck1D(64),
            NonBottleneck1D(64),
            _upsampling(64, 16),
            NonBottleneck1D(16),
            NonBottleneck1D(16),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B,3,H,W), H and W multiples of 8, to features (B,16,H/2,W/2)."""
        return self.decoder(self.encoder(images))

    def classifier(self, num_classes: int) -> nn.Module:
        """Return the layer that maps features (B,16,h,w) to class scores (B,num_classes,2h,2w)."""
        return nn.ConvTranspose2d(self.out_channels, num_classes, 2, stride=2)


def _upsampling(in_channels: int, out_channels: int) -> nn.Sequential:
    conv = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
    norm = nn.BatchNorm2d(out_channels, eps=1e-3)
    return nn.Sequential(OrderedDict(conv=conv, norm=norm, act=nn.ReLU()))
