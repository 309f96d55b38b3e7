"""Running a network over a split and counting: single scale, no flip, at label resolution."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from eacnet.data.frames import Frames, same_size, sizes_of
from eacnet.datasets.labels import IGNORED
from eacnet.errors import InputError, lacks_memory
from eacnet.evaluation.boundary import boundary_counts, edges, rings
from eacnet.evaluation.confusion import confusion_matrix, grouped_confusion, image_index
from eacnet.evaluation.counts import BANDS, EFFECT_BAND, Counts
from eacnet.evaluation.effect import calibration_effect
from eacnet.evaluation.scores import mean_iou
from eacnet.models.label_map import label_map
from eacnet.progress import progress as progress_bar

# A batch has at most so many frames and pixels: 8 frames of 360x480, one of 1024x2048.
FRAMES, PIXELS = 8, 8 * 360 * 480

T = TypeVar("T")


def evaluate(
    model: nn.Module,
    images: np.ndarray | Frames,
    labels: np.ndarray | Frames,
    *,
    num_classes: int,
    mean: Sequence[float],
    device: torch.device | str,
    precision: torch.dtype = torch.float32,
    batch: int = FRAMES,
    progress: bool = True,
) -> Counts:
    """Count the hits and misses of a network on every image of a split.

    Args:
        model: an EACNet; moved to `device`, set to evaluation mode and back.
        images: uint8 (N, H, W, 3), RGB; may be a memory map, or of several sizes.
        labels: uint8 (N, H, W), train ids, 255 = ignored; the same.
        num_classes: K of the data.
        mean: RGB mean that the network was trained with, on the scale 0..255.
        device: where to run and to count.
        precision: the network runs under autocast if this is not float32.
        batch: most images of one size per pass, a matter of speed and memory alone: large frames
            go one by one, and it is halved where the memory runs out.
        progress: show a progress bar.

    Raises:
        InputError: the network has other classes than the data, images and labels differ in size,
            every pixel is ignored, a label is out of range, the scores are not finite, or the
            memory does not hold a single frame.
    """
    if model.num_classes != num_classes:
        raise InputError(
            f"the network predicts {model.num_classes} classes, the data has {num_classes}: wrong "
            "model file or one for other classes; train one on this data"
        )
    if not np.array_equal(sizes_of(images), sizes_of(labels)):
        raise InputError("images and labels do not match in size; prepare the data again")
    if all((frame == IGNORED).all() for frame in labels):
        raise InputError(
            f"all pixels of the {len(labels)} label maps are ignored, there is nothing to score; "
            "check the class table and prepare again"
        )

    def counted(some: slice, coarse: Tensor, calibrated: Tensor) -> Counts:
        truth = torch.from_numpy(np.array(labels[some])).to(device)
        after = _classes(model, calibrated, truth.shape[1:])
        before = None if coarse is calibrated else _classes(model, coarse, truth.shape[1:])
        return count(after, truth, num_classes, before)

    counts, done = None, 0
    with progress_bar(
        total=len(images), unit="frame", desc="evaluate", disable=not progress
    ) as bar:
        for part in _passes(model, images, counted, mean, device, precision, batch):
            counts = part.room(len(images)) if counts is None else counts
            counts.put(done, part)
            done += len(part)
            bar.update(len(part))
    return counts


def quick_miou(
    model: nn.Module,
    images: np.ndarray | Frames,
    labels: np.ndarray | Frames,
    *,
    mean: Sequence[float],
    device: torch.device | str,
) -> float:
    """Return the mIoU in percent and nothing else, as training watches it; arguments as above."""

    def counted(some: slice, coarse: Tensor, calibrated: Tensor) -> Tensor:
        truth = torch.from_numpy(np.array(labels[some])).to(device)
        classes = _classes(model, calibrated, truth.shape[1:])
        return confusion_matrix(classes, truth, model.num_classes).cpu()

    confusion = sum(_passes(model, images, counted, mean, device))
    return 100 * float(mean_iou(confusion.numpy()))


def predict(
    model: nn.Module,
    images: np.ndarray | Frames,
    *,
    mean: Sequence[float],
    device: torch.device | str,
    batch: int = FRAMES,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Predict the classes of all images, batch by batch, before and after the calibration.

    Yields:
        Two uint8 (B, H, W): coarse and calibrated classes; the same tensor twice if the network
        has no calibration.

    Raises:
        InputError: the network's scores are not finite, or the memory does not hold a frame.
    """

    def classes(some: slice, coarse: Tensor, calibrated: Tensor) -> tuple[Tensor, Tensor]:
        size = images[some.start].shape[:2]
        after = _classes(model, calibrated, size)
        return after if coarse is calibrated else _classes(model, coarse, size), after

    return _passes(model, images, classes, mean, device, batch=batch)


def predict_scores(
    model: nn.Module,
    images: np.ndarray | Frames,
    *,
    mean: Sequence[float],
    device: torch.device | str,
    batch: int = FRAMES,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the scores (B, K, h, w) before and after calibration, as `predict` does the classes."""
    return _passes(model, images, lambda _, *scores: scores, mean, device, batch=batch)


def _passes(
    model: nn.Module,
    images: np.ndarray | Frames,
    work: Callable[[slice, Tensor, Tensor], T],
    mean: Sequence[float],
    device: torch.device | str,
    precision: torch.dtype = torch.float32,
    batch: int = FRAMES,
) -> Iterator[T]:
    """Yield what `work` makes of each batch: its place, its scores before and after calibration."""
    device = torch.device(device)
    model.to(device)
    was_training = model.training
    model.eval()
    shift = torch.tensor(mean, dtype=torch.float32, device=device)

    @torch.no_grad()
    def done(some: slice) -> T:
        pixels = torch.from_numpy(np.array(images[some])).to(device)
        inputs = (pixels.float() - shift).permute(0, 3, 1, 2)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            coarse, calibrated = model.scores(inputs)
        if not calibrated.isfinite().all():
            raise InputError(
                "the network's scores are not finite: its training diverged or its weights "
                "are damaged; train again"
            )
        return work(some, coarse, calibrated)

    sizes, first = sizes_of(images), 0
    try:
        while first < len(sizes):
            height, width = sizes[first].tolist()
            most = max(1, min(batch, PIXELS // (height * width)))
            some = same_size(sizes, first, most)
            try:
                result = done(some)
            except (MemoryError, RuntimeError) as error:
                if not lacks_memory(error):
                    raise
                if most == 1:
                    remedy = "close other programs or use a machine with more of it"
                    if device.type != "cpu":
                        remedy = "hardware.accelerator: cpu in params.yaml takes the main memory"
                    raise InputError(
                        f"out of memory for a single frame of {height}x{width}; {remedy}"
                    ) from None
                batch = most // 2
                continue
            yield result
            first = some.stop
    finally:
        model.train(was_training)


def count(
    prediction: Tensor, truth: Tensor, num_classes: int, coarse: Tensor | None = None
) -> Counts:
    """Count everything that is scored, for a batch of label maps.

    Args:
        prediction: classes, (B, H, W).
        truth: train ids, uint8 (B, H, W), 255 = ignored.
        num_classes: K.
        coarse: classes before the calibration, (B, H, W); None if there is no calibration.
    """
    ring = rings(edges(truth))
    confusion, bands = _confusions(prediction, truth, num_classes, ring)
    boundary = boundary_counts(prediction, truth, num_classes)
    if coarse is None:
        return Counts(_numpy(confusion), _numpy(bands), _numpy(boundary))
    coarse_confusion, coarse_bands = _confusions(coarse, truth, num_classes, ring)
    inside = ring <= BANDS.index(EFFECT_BAND)
    effect = calibration_effect(coarse, prediction, truth, inside)
    arrays = (confusion, bands, boundary, coarse_confusion, coarse_bands, effect)
    return Counts(*map(_numpy, arrays))


def _confusions(
    prediction: Tensor, truth: Tensor, num_classes: int, ring: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the confusion of each image, (B, K, K), and of its bands, (B, 3, K, K)."""
    shape = (len(truth), len(BANDS) + 1, num_classes, num_classes)
    groups = image_index(truth) * shape[1] + ring
    per_ring = grouped_confusion(prediction, truth, num_classes, groups, shape[0] * shape[1])
    within = per_ring.view(shape).cumsum(1)
    return within[:, -1], within[:, :-1]


def _numpy(counts: Tensor) -> np.ndarray:
    return counts.cpu().numpy()


def _classes(model: nn.Module, scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the classes of scores (B, K, h, w) at `size` (H, W), uint8 (B, H, W)."""
    maps = [label_map(one[None].float().contiguous(), size, model.stride) for one in scores]
    return torch.cat(maps)
