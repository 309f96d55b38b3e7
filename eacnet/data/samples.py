"""Training samples: seeded scale, pad, crop and flip, reading only the pixels that a sample needs.

A sample depends on (seed, epoch, frame) alone: neither the number of loader processes, nor that of
training processes, nor a resumed training changes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import resize

from eacnet.config.recipe import Photometric
from eacnet.data.colour import draw_colour, recolour
from eacnet.data.store import Split
from eacnet.datasets.labels import IGNORED
from eacnet.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """The published augmentation, and a change of colors where a recipe asks for it.

    Attributes:
        crop: (height, width) of a sample in pixels.
        scales: the frame is enlarged by one of these, drawn uniformly.
        fill: RGB of padding, 0..255; the dataset's mean, so that padding is 0 after subtracting it.
        photometric: how far colors are changed; None leaves them as they are.
    """

    crop: tuple[int, int]
    scales: tuple[float, ...]
    fill: tuple[int, int, int]
    photometric: Photometric | None = None


def check_crop(crop: tuple[int, int], scales: tuple[float, ...], sizes: np.ndarray) -> None:
    """Refuse a crop that is larger than every frame at its largest scale.

    Args:
        crop: (height, width) in pixels.
        scales: as in `Augmentation`.
        sizes: (height, width) of the frames, int (N,2).

    Raises:
        InputError: such a crop would hold padding in every sample.
    """
    limits = (sizes * max(scales)).astype(int)
    if (limits < crop).any(1).all():
        largest = limits.prod(1).argmax()
        size, limit = sizes[largest], limits[largest]
        raise InputError(
            f"crop is {crop[0]}x{crop[1]}, but frames of {size[0]}x{size[1]} at scale "
            f"{max(scales)} allow at most {limit[0]}x{limit[1]}; make recipes.*.crop smaller"
        )


@dataclass(frozen=True)
class Draw:
    """The random choices of one sample.

    Attributes:
        spans: rows and columns of the frame that are read, the crop's footprint.
        inside: (height, width) to which they are scaled; what the crop has beyond is padding.
        flip: whether left and right change places.
        colour: float32 (3,4), see `eacnet.data.colour`, or None.
    """

    spans: tuple[slice, slice]
    inside: tuple[int, int]
    flip: bool
    colour: np.ndarray | None


def draw(size: tuple[int, int], how: Augmentation, random: np.random.Generator) -> Draw:
    """Draw the choices of one sample of a frame of `size` (H,W).

    The crop's footprint is a whole number of the frame's pixels, so the scale is exact to half
    a pixel over the crop. A smaller frame is padded on the right and at the bottom.
    """
    scale = how.scales[random.integers(len(how.scales))]
    flip = bool(random.integers(2))
    spans, inside = [], []
    for crop, side in zip(how.crop, size, strict=True):
        footprint = max(round(crop / scale), 1)
        start = int(random.integers(max(side - footprint, 0) + 1))
        stop = min(start + footprint, side)
        spans.append(slice(start, stop))
        inside.append(
            crop if stop - start == footprint else min(max(round((stop - start) * scale), 1), crop)
        )
    colour = draw_colour(how.photometric, how.fill, random) if how.photometric else None
    return Draw(tuple(spans), tuple(inside), flip, colour)


def draw_sample(
    image: np.ndarray, labels: np.ndarray, how: Augmentation, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw one augmented crop; only its footprint in the frame is read and scaled.

    Args:
        image: uint8 (H,W,3), may be memory-mapped.
        labels: uint8 (H,W), train ids.
        how: crop, scales, fill and change of colors.
        random: the source of randomness.

    Returns:
        image uint8 (h,w,3) and labels uint8 (h,w), h and w as in `how.crop`.
    """
    return cut(image, labels, how, draw(labels.shape, how, random))


def cut(
    image: np.ndarray, labels: np.ndarray, how: Augmentation, drawn: Draw
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut the crop that `drawn` describes; shapes and dtypes as in `draw_sample`."""
    inside = list(drawn.inside)
    pixels = torch.from_numpy(np.array(image[drawn.spans])).permute(2, 0, 1)
    classes = torch.from_numpy(np.array(labels[drawn.spans])).unsqueeze(0)
    if list(pixels.shape[1:]) != inside:
        pixels = resize(pixels, inside, InterpolationMode.BILINEAR, antialias=True)
        classes = resize(classes, inside, InterpolationMode.NEAREST_EXACT)
    pixels, classes = pixels.permute(1, 2, 0), classes[0]
    if drawn.colour is not None:
        pixels = recolour(pixels, torch.from_numpy(drawn.colour)).round().to(torch.uint8)
    if inside != list(how.crop):
        padded = torch.tensor(how.fill, dtype=torch.uint8).repeat(*how.crop, 1)
        padded[: inside[0], : inside[1]] = pixels
        void = torch.full(how.crop, IGNORED, dtype=torch.uint8)
        void[: inside[0], : inside[1]] = classes
        pixels, classes = padded, void
    if drawn.flip:
        pixels, classes = pixels.flip(1), classes.flip(1)
    return pixels.contiguous(), classes.contiguous()


class Samples(Dataset):
    """Augmented crops of the frames of one or several splits, addressed by (epoch, frame)."""

    def __init__(self, splits: list[Split], how: Augmentation, seed: int) -> None:
        self.splits = splits
        self.how = how
        self.seed = seed
        self.frames = [(split, i) for split in splits for i in range(len(split.images))]

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        epoch, frame = key
        split, index = self.frames[frame]
        return cut(split.images[index], split.labels[index], self.how, self.draw(epoch, frame))

    def draw(self, epoch: int, frame: int) -> Draw:
        """Draw the choices of one sample, from the seed, the epoch and the frame alone."""
        split, index = self.frames[frame]
        random = np.random.default_rng([self.seed, epoch, frame])
        return draw(split.labels[index].shape, self.how, random)


class Batches(Sampler[list[tuple[int, int]]]):
    """The (epoch, frame) keys of each batch of one epoch, for one of several training processes.

    Frames are shuffled anew each epoch; a last batch that would not be full is left out. A batch is
    shared out evenly among the processes.
    """

    def __init__(self, frames: int, batch: int, seed: int, rank: int = 0, world: int = 1) -> None:
        if batch > frames:
            raise InputError(f"batch is {batch}, but there are {frames} frames to train on")
        if batch % world:
            raise InputError(f"batch is {batch}, which {world} processes can't share out evenly")
        self.frames, self.batch, self.seed = frames, batch, seed
        self.rank, self.world = rank, world
        self.epoch = 0

    def __len__(self) -> int:
        return self.frames // self.batch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.frames)
        for start in range(0, len(self) * self.batch, self.batch):
            batch = order[start : start + self.batch]
            yield [(self.epoch, int(frame)) for frame in batch[self.rank :: self.world]]


def make_loader(samples: Samples, batches: Batches, workers: int, pin: bool) -> DataLoader:
    """Return a loader of (images uint8 (B,h,w,3), labels uint8 (B,h,w)) for `batches.epoch`."""
    return DataLoader(
        samples,
        batch_sampler=batches,
        num_workers=workers,
        pin_memory=pin,
        persistent_workers=workers > 0,
    )
