import numpy as np
import pytest

from eacnet import build_model
from eacnet.data.frames import Frames
from eacnet.data.store import Split
from eacnet.errors import InputError
from eacnet.training.run import check_sizes


def test_a_frame_too_small_to_be_scored_is_named_before_any_training():
    sizes = np.array([[9, 9], [64, 8], [4, 5]])
    pixels = int(sizes.prod(1).sum())
    flat = np.zeros((pixels, 3), np.uint8), np.zeros(pixels, np.uint8)
    split = Split(*(Frames(each, sizes) for each in flat), ["a", "b", "c"])
    check_sizes(build_model("dab", 4, "none"), split, "val")
    with pytest.raises(InputError, match=r"frame b of split 'val': images of 64x8 .* at least 9x9"):
        check_sizes(build_model("dab", 4, "pooled"), split, "val")
