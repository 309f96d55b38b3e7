"""Attention calibration of coarse class scores (Zha et al., ACML 2020, PMLR 129:337-352)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Calibration(nn.Module):
    """Non-local calibration of class scores: gamma * attention(scores) + scores.

    Query, key and value are 1x1 convolutions of the scores. With `pooled`, key and value come from
    the 2x2 max-pooled scores, which is the paper's efficient calibration; without, every position
    attends to every other. `gamma` starts at 0, so a fresh calibration changes nothing.
    """

    def __init__(self, num_classes: int, pooled: bool) -> None:
        super().__init__()
        self.pooled = pooled
        self.query = nn.Conv2d(num_classes, num_classes, 1)
        self.key = nn.Conv2d(num_classes, num_classes, 1)
        self.value = nn.Conv2d(num_classes, num_classes, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, scores: Tensor) -> Tensor:
        """Calibrate scores (B,K,h,w); pooling needs h, w >= 2 and drops an odd last row or column.

        The result has the shape of `scores` and the dtype of the weights, also under autocast.
        """
        with torch.autocast(scores.device.type, enabled=False):
            scores = scores.to(self.gamma.dtype)
            attended = attend(*self.projections(scores))
            return torch.addcmul(scores, self.gamma, attended)

    def projections(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query (B,K,h,w), key and value (both B,K,h',w') of scores (B,K,h,w)."""
        context = F.max_pool2d(scores, 2) if self.pooled else scores
        return self.query(scores), self.key(context), self.value(context)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return softmax(query . key) value over all positions, without ever storing the attention.

    Args:
        query: (B,K,h,w).
        key: (B,K,h',w'), attended positions.
        value: (B,K,h',w').

    Returns:
        (B,K,h,w) in the dtype of `query`; computed in float32 or wider.
    """
    channels = query.shape[1]
    # The products are not divided by sqrt(K): they outgrow what a softmax in bfloat16 can resolve.
    dtype = torch.promote_types(query.dtype, torch.float32)
    # CUDA's fused kernels want the last dimension in multiples of 8; zeros change no product.
    padding = -channels % 8 if query.is_cuda else 0
    tokens = [_tokens(maps.to(dtype), padding) for maps in (query, key, value)]
    attended = F.scaled_dot_product_attention(*tokens, scale=1.0)  # (B,1,h*w,K)
    attended = attended[:, 0, :, :channels].transpose(1, 2)
    return attended.reshape(query.shape).to(query.dtype)


def _tokens(maps: Tensor, padding: int) -> Tensor:
    """Turn (B,K,h,w) into (B,1,h*w,K+padding): one head, contiguous for the fused CPU kernel."""
    tokens = maps.flatten(2).transpose(1, 2).unsqueeze(1)
    return F.pad(tokens, (0, padding)).contiguous() if padding else tokens.contiguous()
