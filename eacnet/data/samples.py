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

from eacnet.data.store import Split
from eacnet.errors import InputError
from eacnet.labels import IGNORED


@dataclass(frozen=True)
class Augmentation:
    """The published augmentation.

    Attributes:
        crop: (height, width) of a sample in pixels.
        scales: the frame is enlarged by one of these, drawn uniformly.
        fill: RGB of padding, 0..255; the dataset's mean, so that padding is 0 after subtracting it.
    """

    crop: tuple[int, int]
    scales: tuple[float, ...]
    fill: tuple[int, int, int]


def check_crop(crop: tuple[int, int], scales: tuple[float, ...], size: tuple[int, int]) -> None:
    """Refuse a crop that is larger than a frame of `size` at its largest scale.

    Raises:
        InputError: such a crop would hold padding in every sample.
    """
    limit = [int(side * max(scales)) for side in size]
    if crop[0] > limit[0] or crop[1] > limit[1]:
        raise InputError(
            f"crop is {crop[0]}x{crop[1]}, but frames of {size[0]}x{size[1]} at scale "
            f"{max(scales)} allow at most {limit[0]}x{limit[1]}; make recipes.*.crop smaller"
        )


def draw_sample(
    image: np.ndarray, labels: np.ndarray, how: Augmentation, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw one augmented crop.

    The crop's footprint in the frame is chosen first and only that is read and scaled. It is a
    whole number of pixels, so the scale is exact to half a pixel over the crop. A frame smaller
    than the footprint is padded on the right and at the bottom.

    Args:
        image: uint8 (H,W,3), may be memory-mapped.
        labels: uint8 (H,W), train ids.
        how: crop, scales and fill.
        random: the source of randomness.

    Returns:
        image uint8 (h,w,3) and labels uint8 (h,w), h and w as in `how.crop`.
    """
    scale = how.scales[random.integers(len(how.scales))]
    flip = bool(random.integers(2))
    spans, inside = [], []
    for crop, side in zip(how.crop, labels.shape, strict=True):
        footprint = max(round(crop / scale), 1)
        start = int(random.integers(max(side - footprint, 0) + 1))
        stop = min(start + footprint, side)
        spans.append(slice(start, stop))
        inside.append(
            crop if stop - start == footprint else min(round((stop - start) * scale), crop)
        )
    pixels = torch.from_numpy(np.array(image[spans[0], spans[1]])).permute(2, 0, 1)
    classes = torch.from_numpy(np.array(labels[spans[0], spans[1]])).unsqueeze(0)
    if list(pixels.shape[1:]) != inside:
        pixels = resize(pixels, inside, InterpolationMode.BILINEAR, antialias=True)
        classes = resize(classes, inside, InterpolationMode.NEAREST_EXACT)
    pixels, classes = pixels.permute(1, 2, 0), classes[0]
    if inside != list(how.crop):
        padded = torch.tensor(how.fill, dtype=torch.uint8).repeat(*how.crop, 1)
        padded[: inside[0], : inside[1]] = pixels
        void = torch.full(how.crop, IGNORED, dtype=torch.uint8)
        void[: inside[0], : inside[1]] = classes
        pixels, classes = padded, void
    if flip:
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
        random = np.random.default_rng([self.seed, epoch, frame])
        return draw_sample(split.images[index], split.labels[index], self.how, random)


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
