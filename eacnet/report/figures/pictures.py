"""What the main network makes of frames that a rule chooses."""

import torch

from eacnet.data.store import Split
from eacnet.models import EACNet
from eacnet.report.figures.attention_maps import make_views
from eacnet.report.figures.drawing import Pictures
from eacnet.report.figures.examples import make_examples
from eacnet.report.figures.zooms import make_zooms
from eacnet.report.results import Results


def make_pictures(
    model: EACNet, split: Split, results: Results, number: int, device: torch.device
) -> Pictures:
    """Predict the chosen frames once more.

    Args:
        model: with its card; moved to `device`.
        split: what was scored.
        results: of the experiment, with the counts of each of its frames.
        number: how many frames to show; of windows at edges, half as many of each kind.
        device: where to run.
    """
    counts = results.counts
    doubted = (results.evaluation.get("without") or {}).get("frames", ())
    return Pictures(
        make_examples(model, split, counts, number, device, doubted),
        make_zooms(model, split, counts, -(-number // 2), device),
        make_views(model, split, counts, device),
    )
