import numpy as np
import pytest
import torch

from eacnet import build_model
from eacnet.config.params import load_params
from eacnet.data.frames import Frames
from eacnet.data.store import Split
from eacnet.errors import InputError
from eacnet.training.fits import check_batch, check_sizes


@pytest.mark.parametrize("backbone", ["dab", "erf"])
def test_a_batch_of_a_single_position_is_refused_before_any_training(backbone):
    params = load_params()
    recipe, hardware = params.recipes["synthetic"], params.hardware
    network = build_model(backbone, 4, "none")
    before = torch.get_rng_state()
    check_batch(network, recipe.model_copy(update={"batch": 1, "crop": (16, 24)}), hardware)
    check_batch(network, recipe.model_copy(update={"batch": 2, "crop": (8, 8)}), hardware)
    with pytest.raises(InputError, match="a single crop of 8x8 can't be trained on"):
        check_batch(network, recipe.model_copy(update={"batch": 1, "crop": (8, 8)}), hardware)
    assert torch.equal(before, torch.get_rng_state())


def test_a_frame_too_small_to_be_scored_is_named_before_any_training():
    sizes = np.array([[9, 9], [64, 8], [4, 5]])
    pixels = int(sizes.prod(1).sum())
    flat = np.zeros((pixels, 3), np.uint8), np.zeros(pixels, np.uint8)
    split = Split(*(Frames(each, sizes) for each in flat), ["a", "b", "c"])
    check_sizes(build_model("dab", 4, "none"), split, "val")
    with pytest.raises(InputError, match=r"frame b of split 'val': images of 64x8 .* at least 9x9"):
        check_sizes(build_model("dab", 4, "pooled"), split, "val")
