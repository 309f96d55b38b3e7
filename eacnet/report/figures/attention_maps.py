"""Attention maps: where the calibration looks from chosen points of a frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.style
import numpy as np
import torch
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from eacnet.data.store import Split
from eacnet.evaluation.attention import attention_map
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.evaluate import predict_scores
from eacnet.evaluation.scores import mean_iou
from eacnet.models import EACNet
from eacnet.models.attention import Attention
from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.examples import choose, place
from eacnet.report.figures.style import STYLE, new_figure
from eacnet.report.results import Results

# The worst, the median and the best frame.
FRAMES = 3


@dataclass(frozen=True)
class AttentionView:
    """A frame, uint8 (H,W,3), and the attention of one point of it.

    Attributes:
        title: which frame and point.
        image: uint8 (H,W,3).
        point: (x, y) of the point that looks, in pixels.
        weights: (h',w'), how much each key position counts, 1 for even attention.
        extent: left, right, bottom, top of the key positions in pixels.
    """

    title: str
    image: np.ndarray
    point: tuple[float, float]
    weights: np.ndarray
    extent: tuple[float, float, float, float]


@torch.no_grad()
def make_views(
    model: EACNet, split: Split, counts: Counts, device: torch.device
) -> list[AttentionView]:
    """Return the attention of one point in each of the worst, median and best frame by image mIoU.

    The point is the position where calibration changes the coarse winner's probability the most.
    """
    if not isinstance(model.calibration, Attention):
        return []
    miou = mean_iou(counts.confusion)
    chosen = choose(miou, FRAMES)
    images = split.images[[index for _, index in chosen]]
    pairs = predict_scores(model, images, mean=model.card.mean, device=device, batch=1)
    views = []
    for (rank, index), image, (coarse, calibrated) in zip(chosen, images, pairs, strict=True):
        winner = coarse.argmax(1, keepdim=True)
        before, after = (scores.softmax(1).gather(1, winner) for scores in (coarse, calibrated))
        row, column = divmod(int((after - before).abs().argmax()), coarse.shape[-1])
        weights = attention_map(model.calibration, coarse, row, column).cpu().numpy()
        stride = model.stride
        cell = stride * model.calibration.step
        height, width = (size * cell for size in weights.shape)
        views.append(
            AttentionView(
                f"{split.ids[index]}, {place(rank, miou)}",
                image,
                ((column + 0.5) * stride - 0.5, (row + 0.5) * stride - 0.5),
                weights * weights.size,
                (-0.5, width - 0.5, height - 0.5, -0.5),
            )
        )
    return views


@drawing(
    "attention",
    "Attention maps",
    "Where the calibration looks from one point of the worst, median and best frame",
    "The worst, the median and the best frame by image mIoU; in each, the position where"
    " calibration changes the probability of the coarse winner the most (cross), and what that"
    " position attends to, over the darkened frame: 1 is an even share, cells under a tenth of that"
    " are left clear.",
    pixels=True,
)
def attention(results: Results, pictures: Pictures) -> Figure | None:
    """Draw the attention of the chosen points."""
    return attention_figure(pictures.attention) if pictures.attention else None


def attention_figure(views: Sequence[AttentionView]) -> Figure:
    """Draw each frame with its point, and the attention of the point over the dimmed frame."""
    ratios = [view.image.shape[0] / view.image.shape[1] for view in views]
    norm = LogNorm(0.1, max(10.0, *(float(view.weights.max()) for view in views)))
    with matplotlib.style.context(STYLE):
        figure = new_figure(9, sum(4.1 * ratio + 0.35 for ratio in ratios))
        grid = figure.subplots(len(views), 2, squeeze=False, height_ratios=ratios)
        for (left, right), view in zip(grid, views, strict=True):
            height, width = view.image.shape[:2]
            left.imshow(view.image)
            right.imshow(view.image.mean(-1), cmap="gray", vmin=0, vmax=330)
            shown = right.imshow(
                np.ma.masked_less(view.weights, 0.1),
                cmap="inferno",
                norm=norm,
                extent=view.extent,
                alpha=0.85,
                interpolation="nearest",
            )
            left.set_title(view.title, loc="left", fontsize=9)
            for axes in (left, right):
                look = {"markersize": 11, "markeredgecolor": "black", "color": "white"}
                axes.plot(*view.point, "P", **look)
                axes.set_xlim(-0.5, width - 0.5)
                axes.set_ylim(height - 0.5, -0.5)
                axes.set_axis_off()
        bar = figure.colorbar(shown, ax=grid[:, 1], location="right", shrink=0.6, aspect=30)
        bar.set_label("attention, in multiples of an even share")
        ticks = [10.0**power for power in range(-1, int(np.log10(norm.vmax)) + 1)]
        bar.set_ticks(ticks, labels=[f"{tick:,g}" for tick in ticks])
        bar.ax.minorticks_off()
    return figure
