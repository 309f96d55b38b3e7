"""What the main network makes of frames that a rule chooses."""

import torch

from eacnet.data.store import Split
from eacnet.evaluation.counts import Counts
from eacnet.models import EACNet
from eacnet.report.figures.attention_maps import make_views
from eacnet.report.figures.drawing import Pictures
from eacnet.report.figures.examples import make_examples
from eacnet.report.figures.zooms import make_zooms


def make_pictures(
    model: EACNet, split: Split, counts: Counts, number: int, device: torch.device
) -> Pictures:
    """Predict the chosen frames once more.

    Args:
        model: with its card; moved to `device`.
        split: what was scored.
        counts: the scores' counts of each of its frames.
        number: how many frames to show; of windows at edges, half as many of each kind.
        device: where to run.
    """
    return Pictures(
        make_examples(model, split, counts, number, device),
        make_zooms(model, split, counts, -(-number // 2), device),
        make_views(model, split, counts, device),
    )
