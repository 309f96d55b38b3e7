"""Zooms: the windows in which calibration corrects, or breaks, the most pixels near edges."""

from dataclasses import dataclass

import numpy as np
import torch

from eacnet.data.store import Split
from eacnet.datasets.labels import IGNORED
from eacnet.evaluation.counts import Counts
from eacnet.models import EACNet
from eacnet.report.figures.examples import SPACE, Example, predicted

# Windows of a quarter of the frame's height and width, at every eighth of a window.
PART = 4
STEPS = 8
EVENTS = {"corrects": 2, "breaks": 3}  # columns of Counts.effect


@dataclass(frozen=True)
class Window:
    """A part of a frame in pixels: rows and columns, and how many pixels an event counts there."""

    rows: slice
    columns: slice
    pixels: int


def most_affected(effect: np.ndarray, event: str, number: int) -> list[int]:
    """Return the frames with the most pixels near edges that calibration corrects or breaks.

    Args:
        effect: (N,2,4), as in Counts.
        event: a key of EVENTS.
        number: how many frames at most; those without any such pixel are left out.
    """
    pixels = effect[:, 0, EVENTS[event]]
    order = np.argsort(-pixels, kind="stable")[:number]
    return [index for index in order.tolist() if pixels[index]]


def densest(mask: np.ndarray) -> Window:
    """Return the window that holds the most pixels of a mask (H,W), the first of such windows."""
    height, width = (max(1, size // PART) for size in mask.shape)
    sums = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    tops = np.arange(0, mask.shape[0] - height + 1, max(1, height // STEPS))[:, None]
    lefts = np.arange(0, mask.shape[1] - width + 1, max(1, width // STEPS))
    ends, rights = tops + height, lefts + width
    inside = sums[ends, rights] - sums[tops, rights] - sums[ends, lefts] + sums[tops, lefts]
    i, j = np.unravel_index(inside.argmax(), inside.shape)
    top, left = int(tops[i, 0]), int(lefts[j])
    rows, columns = slice(top, top + height), slice(left, left + width)
    return Window(rows, columns, int(inside[i, j]))


def make_zooms(
    model: EACNet, split: Split, counts: Counts, number: int, device: torch.device
) -> list[Example]:
    """Predict the frames that calibration affects most once more, and cut their windows out.

    Args:
        model: with its card; moved to `device`.
        split: what was scored.
        counts: the scores' counts of each of its frames.
        number: how many windows to show of each event.
        device: where to run.
    """
    if counts.effect is None:
        return []
    chosen = [
        (event, index) for event in EVENTS for index in most_affected(counts.effect, event, number)
    ]
    frames = predicted(model, split, [index for _, index in chosen], device)
    zooms = []
    for (event, index), (image, truth, coarse, after) in zip(chosen, frames, strict=True):
        was, right = coarse == truth, after == truth
        hit = right & ~was if event == "corrects" else was & ~right
        window = densest(hit & (truth != IGNORED))
        y, x = window.rows.start, window.columns.start
        title = SPACE.join(
            (split.ids[index], f"row {y}, column {x}", f"{event} {window.pixels:,} pixels")
        )
        cut = [one[window.rows, window.columns] for one in (image, truth, after, coarse)]
        zooms.append(Example(title, *cut))
    return zooms
