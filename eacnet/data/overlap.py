"""Frames that are trained on and scored, or stand in two splits of a dataset."""

import hashlib
from collections.abc import Sequence

import numpy as np

from eacnet.datasets.listing import Frame


def image_hash(image: np.ndarray) -> bytes:
    """Return the SHA-256 of an image's shape and pixels, uint8 (H,W,3)."""
    # One colour on 20x30 pixels and on 30x20 has the same bytes.
    hash_ = hashlib.sha256(repr(image.shape).encode())
    hash_.update(image)
    return hash_.digest()


def shared_frames(pair: dict[str, tuple[list[Frame], list[bytes]]]) -> str:
    """Say which frames of two splits have the same pixels; nothing where there are none.

    Args:
        pair: the frames of each of the two, and their `image_hash`.
    """
    (one, (here, hashes)), (other, (there, others)) = pair.items()
    where = dict(zip(hashes, here, strict=True))
    pairs = [
        f"{where[hash].id} = {frame.id}"
        for frame, hash in zip(there, others, strict=True)
        if hash in where
    ]
    more = ", ..." if len(pairs) > 3 else ""
    listed = f"{', '.join(pairs[:3])}{more}"
    return f"{len(pairs)} images are in {one} and in {other} ({listed})" if pairs else ""


def scored_in_training(train: Sequence[str], evaluate: str | None) -> str:
    """Say that the split that is scored is trained on, nothing where it is not."""
    return f"split {evaluate!r} is both trained on and scored" if evaluate in train else ""


def is_leak(pair: set[str], train: Sequence[str], evaluate: str | None) -> bool:
    """Say whether frames that two splits share are trained on and scored."""
    return {evaluate} < pair <= {evaluate, *train}
