"""Frames of different sizes in one flat array, of which only what is asked for is read."""

from collections.abc import Iterator, Sequence

import numpy as np


class Frames:
    """A sequence of arrays (H,W,...), each of its own size, over one array (pixels,...).

    An index gives one frame as a view; a slice or a list of indices gives a sequence of them, which
    `np.array` stacks if they are of one size.
    """

    def __init__(
        self, flat: np.ndarray, sizes: np.ndarray, chosen: np.ndarray | None = None
    ) -> None:
        self.flat, self.all_sizes = flat, sizes
        self.starts = np.concatenate(([0], np.cumsum(sizes.prod(1))))
        self.chosen = np.arange(len(sizes)) if chosen is None else chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int | slice | Sequence[int]) -> "np.ndarray | Frames":
        if not isinstance(index, int | np.integer):
            return Frames(self.flat, self.all_sizes, self.chosen[index])
        frame = self.chosen[index]
        pixels = self.flat[self.starts[frame] : self.starts[frame + 1]]
        return pixels.reshape(*self.all_sizes[frame], *self.flat.shape[1:])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.stack(list(self)).astype(dtype or self.flat.dtype, copy=False)


def sizes_of(frames: np.ndarray | Frames) -> np.ndarray:
    """Return the (height, width) of each frame, int (N,2)."""
    if isinstance(frames, Frames):
        return frames.all_sizes[frames.chosen]
    return np.tile(frames.shape[1:3], (len(frames), 1))


def same_size(sizes: np.ndarray, first: int, most: int) -> slice:
    """Return the slice of at most `most` frames from `first` on that are of one size."""
    stop = first + 1
    while stop < min(first + most, len(sizes)) and (sizes[stop] == sizes[first]).all():
        stop += 1
    return slice(first, stop)
