"""Example images: which ones, and what is shown of each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from eacnet.data.store import Split
from eacnet.datasets.labels import IGNORED
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.evaluate import predict
from eacnet.evaluation.scores import mean_iou
from eacnet.models import EACNet

Color = tuple[int, int, int]

# Okabe and Ito's palette: told apart with every common form of colour blindness.
WRONG = (204, 121, 167)
CORRECTED = (86, 180, 233)
BROKEN = (230, 159, 0)
NOT_SCORED = (0, 0, 0)
# Right pixels show the image in grey levels up to this one, so that errors stand out.
BRIGHTEST_GREY = 110
SPACE = "     "


@dataclass(frozen=True)
class Example:
    """One frame: image uint8 (H,W,3), class maps uint8 (H,W), and a title.

    `coarse` is None for a network without calibration.
    """

    title: str
    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    coarse: np.ndarray | None


def choose(miou: np.ndarray, number: int) -> list[tuple[int, int]]:
    """Choose frames at evenly spaced ranks, from the worst to the best by image mIoU.

    Args:
        miou: float (N,), mIoU of each frame; NaN where nothing is scored.
        number: how many to choose; all scored frames where there are fewer.

    Returns:
        (rank from 1 = worst, index of the frame), worst first; frames of one mIoU keep their order.
    """
    order = np.argsort(miou, kind="stable")[: np.count_nonzero(~np.isnan(miou))]
    number = min(number, len(order))
    ranks = np.linspace(0, len(order) - 1, number).round().astype(int)
    return [(rank + 1, int(order[rank])) for rank in ranks.tolist()]


def make_examples(
    model: EACNet,
    split: Split,
    counts: Counts,
    number: int,
    device: torch.device,
    doubted: Collection[str] = (),
) -> list[Example]:
    """Predict the chosen frames of a split once more.

    Args:
        model: with its card; moved to `device`.
        split: what was scored.
        counts: the scores' counts of each of its frames.
        number: how many frames to show.
        device: where to run.
        doubted: ids of frames whose labels are known to be doubtful; their titles say so.
    """
    miou = mean_iou(counts.confusion)
    chosen = choose(miou, number)
    frames = predicted(model, split, [index for _, index in chosen], device)
    examples = []
    for (rank, index), (image, truth, coarse, prediction) in zip(chosen, frames, strict=True):
        score = f"mIoU {100 * miou[index]:.1f} %"
        if counts.coarse_confusion is None:
            coarse = None
        else:
            score += f" (coarse {100 * mean_iou(counts.coarse_confusion[index]):.1f} %)"
        parts = [split.ids[index], score, place(rank, miou)]
        title = SPACE.join([*parts, *["labels in doubt"] * (split.ids[index] in doubted)])
        examples.append(Example(title, image, truth, prediction, coarse))
    return examples


def predicted(
    model: EACNet, split: Split, frames: Sequence[int], device: torch.device
) -> Iterator[tuple[np.ndarray, ...]]:
    """Predict some frames of a split, given by their indices, once more.

    Yields:
        Image uint8 (H,W,3); truth, coarse and calibrated classes, uint8 (H,W).
    """
    images = split.images[frames]
    maps = predict(model, images, mean=model.card.mean, device=device, batch=1)
    for index, image, pair in zip(frames, images, maps, strict=True):
        coarse, calibrated = (classes[0].to(torch.uint8).cpu().numpy() for classes in pair)
        yield image, np.asarray(split.labels[index]), coarse, calibrated


def place(rank: int, miou: np.ndarray) -> str:
    """Say where a frame stands among all scored ones, such as "rank 1 of 24 (worst)"."""
    scored = np.count_nonzero(~np.isnan(miou))
    end = {1: " (worst)", scored: " (best)"}.get(rank, "")
    return f"rank {rank} of {scored}{end}"


def tiles(example: Example, colors: np.ndarray) -> list[np.ndarray]:
    """Return what is shown of a frame, uint8 (H,W,3) each.

    Image, truth, coarse prediction where there is one, prediction, errors; `colors` is uint8 (K,3).
    """
    maps = [example.truth, example.coarse, example.prediction]
    return [
        example.image,
        *(colored(labels, colors) for labels in maps if labels is not None),
        error_map(example.image, example.truth, example.prediction, example.coarse),
    ]


def key(calibrated: bool) -> list[tuple[str, Color]]:
    """Return what the colours of `error_map` mean, for a network with or without calibration."""
    if not calibrated:
        return [("wrong", WRONG), ("not scored", NOT_SCORED)]
    return [
        ("wrong before and after", WRONG),
        ("corrected by calibration", CORRECTED),
        ("broken by calibration", BROKEN),
        ("not scored", NOT_SCORED),
    ]


def colored(labels: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Paint a class map (H,W) in its classes' colours, uint8 (K,3) -> uint8 (H,W,3)."""
    table = np.zeros((256, 3), np.uint8)
    table[: len(colors)] = colors
    table[IGNORED] = NOT_SCORED
    return table[labels]


def error_map(
    image: np.ndarray, truth: np.ndarray, prediction: np.ndarray, coarse: np.ndarray | None = None
) -> np.ndarray:
    """Paint where a prediction is wrong, and where calibration corrected or broke it.

    Args:
        image: uint8 (H,W,3), RGB; shown in dim grey where the prediction is right.
        truth: uint8 (H,W), 255 = ignored.
        prediction: uint8 (H,W).
        coarse: the same before calibration; None: every wrong pixel is just wrong.

    Returns:
        uint8 (H,W,3).
    """
    grey = image.mean(-1, keepdims=True) * (BRIGHTEST_GREY / 255)
    painted = np.repeat(grey.astype(np.uint8), 3, axis=-1)
    right = prediction == truth
    painted[~right] = WRONG
    if coarse is not None:
        was_right = coarse == truth
        painted[right & ~was_right] = CORRECTED
        painted[~right & was_right] = BROKEN
    painted[truth == IGNORED] = NOT_SCORED
    return painted
