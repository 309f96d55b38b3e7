"""What is exported: the whole network as one graph."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eacnet.inference.folded import Folded
from eacnet.inference.rewrite import copied
from eacnet.models import EACNet
from eacnet.models.attention import Attention


@dataclass(frozen=True)
class Signature:
    """What goes into an exported network and what comes out.

    `size`, (height, width), fixes that of the images; None leaves it open.
    """

    uint8_input: bool = False
    label_map: bool = False
    size: tuple[int, int] | None = None

    @property
    def input(self) -> str:
        """Description of the input."""
        if self.uint8_input:
            return "uint8 (batch, height, width, 3), RGB"
        return "float32 (batch, 3, height, width), (RGB - mean) / std"

    @property
    def output(self) -> str:
        """Description of the output."""
        if self.label_map:
            return "uint8 (batch, height, width), class ids"
        return "float32 (batch, classes, height, width), logits"

    def example(self, height: int, width: int) -> Tensor:
        """Return a random input of one image."""
        generator = torch.Generator().manual_seed(height)
        shape = (1, height, width, 3)
        pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        if self.uint8_input:
            return pixels
        return (pixels.float() - 128).permute(0, 3, 1, 2).contiguous()


class Exported(nn.Module):
    """The whole network in one graph, batch norms folded.

    Attributes:
        signature: what goes in and comes out.
        pads: whether images are padded within the graph.
        multiple: of what the sides of images have to be otherwise.
        least: side in pixels that they have at least, then.

    Args:
        model: with its card.
        signature: what goes in and comes out.
        pads: whether images of every size are padded within the graph.
    """

    def __init__(self, model: EACNet, signature: Signature, pads: bool) -> None:
        super().__init__()
        self.folded = Folded(model).cpu()
        self.calibration = copied(model.calibration).cpu()
        self.signature, self.pads = signature, pads
        self.multiple, self.least = model.multiple, least_side(model)
        side = 4 * self.multiple
        with torch.no_grad():
            scores = self.calibration(self.folded.network(torch.zeros(1, 3, side, side)))
        self.factor = (
            side / scores.shape[-2]
        )  # a network that decodes leaves less to interpolate, or nothing

    def forward(self, image: Tensor) -> Tensor:
        """Map an image as `signature.input` describes it to what `signature.output` describes."""
        images = self.folded.normalised(image) if self.signature.uint8_input else image
        height, width = images.shape[-2:]
        scores = self.folded.coarse(images) if self.pads else self.folded.network(images)
        scores = self.calibration(scores)
        if self.factor != 1:
            scores = F.interpolate(
                scores, scale_factor=self.factor, mode="bilinear", align_corners=False
            )
        if self.pads:
            scores = scores[..., :height, :width]
        return scores.argmax(1).to(torch.uint8) if self.signature.label_map else scores


class OneKeyMore(nn.Module):
    """An attention with a key that is masked: the same, but its keys are never a single one.

    OpenVINO (2026.4) goes on with its plan for a single key when more keys follow, and gives
    garbage.
    """

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, scores: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w)."""
        query, key, value = (
            maps.flatten(2).transpose(1, 2) for maps in self.attention.projections(scores)
        )
        mask = F.pad(torch.zeros_like(key[:1, :, 0]), (0, 1), value=-1e30)
        key, value = (F.pad(maps, (0, 0, 0, 1))[:, None] for maps in (key, value))
        attended = F.scaled_dot_product_attention(
            query[:, None], key, value, attn_mask=mask[:, None, None], scale=1.0
        )
        attended = attended[:, 0].transpose(1, 2).reshape(scores.shape)
        return torch.addcmul(scores, self.attention.gamma, attended)


def least_side(model: EACNet) -> int:
    """Return the least height and width in pixels that a graph by torch.export takes.

    One for every size must not depend on whether a map has a single row, pooled ones included.
    """
    rows = 2 * model.calibration.smallest
    coarsest = getattr(model.backbone, "coarsest", model.multiple)
    return max(rows * model.stride, coarsest + model.multiple)
