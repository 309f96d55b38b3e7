"""Images like those that a network will meet: to time it on, and to set the ranges of int8."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from eacnet.data.images import resized
from eacnet.data.store import open_store
from eacnet.scenes import draw_scene

SAMPLES = 16  # on CamVid, int8 agrees with fp32 on as many labels with 4 of them, within 0.1 %
TRAIN, TIMED = "train", "val"
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
    """

    store: Path | None = None

    def timed(self, batch: int, height: int, width: int) -> np.ndarray:
        """Return uint8 RGB images (batch,height,width,3), all the same one."""
        image = _scene(FIRST_SEED)
        if self.store:
            frames = open_store(self.store).split(TIMED).images
            image = np.array(frames[len(frames) // 2])
        return np.stack([resized(image, (height, width))] * batch)

    def samples(self, height: int, width: int) -> list[np.ndarray]:
        """Return SAMPLES images uint8 (height,width,3), none of which is the timed one."""
        if self.store:
            frames = open_store(self.store).split(TRAIN).images
            images = [np.array(frames[index]) for index in spread(len(frames))]
        else:
            images = [_scene(FIRST_SEED + number) for number in range(1, SAMPLES + 1)]
        return [resized(image, (height, width)) for image in images]

    @property
    def description(self) -> dict[str, str | None]:
        """Where they come from, for a result."""
        if self.store is None:
            drawn = "drawn street scene"
            return {"timed": f"a {drawn}", "samples": f"{SAMPLES} other {drawn}s", "data": None}
        store = open_store(self.store)
        train, timed = store.split(TRAIN), store.split(TIMED)
        return {
            "timed": f"{timed.ids[len(timed.ids) // 2]} of split {TIMED} in {self.store}",
            "samples": f"{len(spread(len(train.ids)))} frames of split {TRAIN} in {self.store}",
            "data": store.checksum,
        }


DRAWN = ImageSource()


@cache
def _scene(seed: int) -> np.ndarray:
    return draw_scene(*SCENE, seed=seed)[0]
