"""Images like those that a network will meet: to time it on, and to set the ranges of int8."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from eacnet.data.images import resized
from eacnet.data.store import Store, open_store
from eacnet.scenes import draw_scene

SAMPLES = 16  # on CamVid, int8 agrees with fp32 on as many labels with 4 of them, within 0.1 %
TRAIN = "train"
SCENE = (512, 1024)
FIRST_SEED = 1


def spread(total: int, count: int = SAMPLES) -> list[int]:
    """Return at most `count` indices below `total`, evenly spaced from the first to the last."""
    return np.linspace(0, max(total - 1, 0), min(total, count)).round().astype(int).tolist()


@dataclass(frozen=True)
class ImageSource:
    """Frames of a prepared store, or drawn street scenes, scaled to the size that is timed.

    Attributes:
        store: folder of the prepared store; None: scenes are drawn.
        evaluated: the split whose middle frame is timed; where the store lacks it, its last one.
    """

    store: Path | None = None
    evaluated: str = ""

    def timed(self, batch: int, height: int, width: int) -> np.ndarray:
        """Return uint8 RGB images (batch,height,width,3), all the same one."""
        if self.store:
            split, frame = self._timed
            image = np.array(self._store.split(split).images[frame])
        else:
            image = _scene(FIRST_SEED)
        return np.stack([resized(image, (height, width))] * batch)

    def samples(self, height: int, width: int) -> list[np.ndarray]:
        """Return up to SAMPLES images uint8 (height,width,3); the timed one is not among them."""
        if self.store:
            split, chosen = self._samples
            frames = self._store.split(split).images
            images = [np.array(frames[index]) for index in chosen]
        else:
            images = [_scene(FIRST_SEED + number) for number in range(1, SAMPLES + 1)]
        return [resized(image, (height, width)) for image in images]

    @property
    def description(self) -> dict[str, str | None]:
        """Where they come from, for a result."""
        if self.store is None:
            drawn = "drawn street scene"
            return {"timed": f"a {drawn}", "samples": f"{SAMPLES} other {drawn}s", "data": None}
        (timed, frame), (split, chosen) = self._timed, self._samples
        return {
            "timed": f"{self._ids(timed)[frame]} of split {timed} in {self.store}",
            "samples": f"{len(chosen)} frames of split {split} in {self.store}",
            "data": self._store.checksum,
        }

    @cached_property
    def _store(self) -> Store:
        return open_store(self.store)

    def _ids(self, split: str) -> list[str]:
        return self._store.info["splits"][split]["ids"]

    @property
    def _timed(self) -> tuple[str, int]:
        """The split and the frame in it that is timed."""
        splits = list(self._store.info["splits"])
        split = self.evaluated if self.evaluated in splits else splits[-1]
        return split, len(self._ids(split)) // 2

    @property
    def _samples(self) -> tuple[str, list[int]]:
        """The split and the frames in it for int8: "train", or any but the timed one, if any."""
        timed, frame = self._timed
        names = sorted(self._store.info["splits"], key=lambda name: (name == timed, name != TRAIN))
        split = names[0]
        others = [i for i in range(len(self._ids(split))) if (split, i) != (timed, frame)]
        return split, [others[index] for index in spread(len(others))]


DRAWN = ImageSource()


@cache
def _scene(seed: int) -> np.ndarray:
    return draw_scene(*SCENE, seed=seed)[0]
