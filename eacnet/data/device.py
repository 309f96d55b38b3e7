"""Training samples on the device: frames are uploaded once, crops are cut and scaled there.

The random choices are those of `eacnet.data.samples`, the pixels equal to one grey level, where
colors are changed to six.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from eacnet.data.colour import recolour
from eacnet.data.samples import Batches, Draw, Samples
from eacnet.datasets.labels import IGNORED
from eacnet.errors import InputError

# Of the GPU's free memory; the rest is for the training itself.
SHARE = 0.4


def lives_on_device(
    samples: Samples, device: torch.device, where: Literal["auto", "host", "device"]
) -> bool:
    """Say whether the frames go to the device; `auto`: where it is a GPU with room for them.

    Raises:
        InputError: `device`, but the frames are of several sizes.
    """
    sizes = np.concatenate([split.sizes for split in samples.splits])
    if (sizes != sizes[0]).any():
        if where == "device":
            raise InputError(
                "hardware.data is 'device', but the frames are of several sizes, and only frames of"
                " one size are kept there; set it to host or auto"
            )
        return False
    if where != "auto" or device.type != "cuda":
        return where == "device"
    size = sum(split.images.nbytes + split.labels.nbytes for split in samples.splits)
    return size <= SHARE * torch.cuda.mem_get_info(device)[0]


class DeviceLoader:
    """Batches of (images uint8 (B,h,w,3), labels uint8 (B,h,w)) that never leave the device.

    All shapes are the same in every batch, and nothing waits for the device.
    """

    def __init__(self, samples: Samples, batches: Batches, device: torch.device) -> None:
        self.samples, self.batches, self.device = samples, batches, device
        self.images = _upload([split.images for split in samples.splits], device)
        self.labels = _upload([split.labels for split in samples.splits], device)
        self.fill = torch.tensor(samples.how.fill, dtype=torch.uint8, device=device)
        # A pixel of the crop is a weighted sum of at most so many of the frame, along each axis.
        self.taps = math.ceil(2 * max(1, 1 / min(samples.how.scales))) + 1
        self.cut = torch.compile(self._cut, dynamic=False) if device.type == "cuda" else self._cut

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for keys in self.batches:
            rows = [_row(frame, self.samples.draw(epoch, frame)) for epoch, frame in keys]
            drawn = torch.from_numpy(np.stack(rows))
            if self.device.type == "cuda":
                drawn = drawn.pin_memory().to(self.device, non_blocking=True)
            yield self.cut(drawn)

    def _cut(self, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Cut the crops that `drawn` describes, float32 (B,20), a `_row` each."""
        height, width = self.samples.how.crop
        frame, flip = drawn[:, 0].long(), drawn[:, 1] > 0
        rows = _Axis(height, *drawn[:, 2:5].unbind(1), torch.zeros_like(flip), self.taps)
        columns = _Axis(width, *drawn[:, 5:8].unbind(1), flip, self.taps)
        nearest = frame[:, None, None], rows.nearest[:, :, None], columns.nearest[:, None]
        void = ~(rows.inside[:, :, None] & columns.inside[:, None])
        labels = self.labels[nearest].masked_fill(void, IGNORED)

        tall = sum(
            self.images[frame[:, None], rows.taps[..., t]] * rows.weights[..., t, None, None]
            for t in range(self.taps)
        )  # (B,h,W,3): scaled vertically
        sample = torch.arange(len(drawn), device=drawn.device)[:, None, None]
        row = torch.arange(height, device=drawn.device)[None, :, None]
        images = sum(
            tall[sample, row, columns.taps[:, None, :, t]] * columns.weights[:, None, :, t, None]
            for t in range(self.taps)
        )
        if self.samples.how.photometric:
            images = recolour(images.round(), drawn[:, 8:].unflatten(1, (3, 4)))
        images = images.round().to(torch.uint8)
        return torch.where(void.unsqueeze(-1), self.fill, images), labels


class _Axis:
    """Which pixels of the frame make up each of the crop's rows, or columns.

    `taps` int64 and `weights` float32 (B,n,taps): bilinear, with a wider filter where the frame is
    made smaller; `nearest` int64 (B,n); `inside` bool (B,n): not padding.
    """

    def __init__(
        self, n: int, start: Tensor, extent: Tensor, scaled: Tensor, flip: Tensor, taps: int
    ) -> None:
        start, extent, scaled = (values.unsqueeze(1) for values in (start, extent, scaled))
        position = torch.arange(n, device=start.device).expand(len(start), n)
        position = torch.where(flip.unsqueeze(1), n - 1 - position, position)
        step = extent / scaled
        centre = (position + 0.5) * step
        self.inside = position < scaled
        self.nearest = (centre.floor().clamp_max(extent - 1) + start).long()

        reach = step.clamp_min(1)
        first = (centre - reach + 0.5).floor().clamp_min(0)
        pixel = first.unsqueeze(-1) + torch.arange(taps, device=start.device)
        distance = (pixel + 0.5 - centre.unsqueeze(-1)).abs() / reach.unsqueeze(-1)
        weights = (1 - distance).clamp_min(0).where(pixel < extent.unsqueeze(-1), 0)
        self.weights = weights / weights.sum(-1, keepdim=True).clamp_min(1e-6)
        self.taps = (pixel.minimum(extent.unsqueeze(-1) - 1) + start.unsqueeze(-1)).long()


def _upload(arrays: list[np.ndarray], device: torch.device) -> Tensor:
    """Copy arrays (N,...) one after the other into one tensor on the device."""
    shape = sum(len(array) for array in arrays), *arrays[0].shape[1:]
    whole = torch.empty(shape, dtype=torch.uint8, device=device)
    done = 0
    for array in arrays:
        # Frame by frame: the arrays may be memory-mapped and larger than memory.
        for frame in array:
            whole[done].copy_(torch.from_numpy(np.array(frame)))
            done += 1
    return whole


def _row(frame: int, drawn: Draw) -> np.ndarray:
    """Return float32 (20,): frame, flip; start, extent, scaled extent of each axis; color map."""
    row = np.zeros(20, np.float32)
    row[:2] = frame, drawn.flip
    for axis, (span, scaled) in enumerate(zip(drawn.spans, drawn.inside, strict=True)):
        row[2 + 3 * axis : 5 + 3 * axis] = span.start, span.stop - span.start, scaled
    if drawn.colour is not None:
        row[8:] = drawn.colour.ravel()
    return row
