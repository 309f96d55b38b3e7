import numpy as np
import pytest
import torch
from torchvision.transforms.v2.functional import adjust_brightness, adjust_saturation

from eacnet.config.recipe import Photometric
from eacnet.data.colour import YIQ, colour_map, draw_colour, recolour

MEAN = (90, 100, 110)


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(256, size=(12, 16, 3))).float()


def changed(pixels, *factors) -> torch.Tensor:
    return recolour(pixels, torch.from_numpy(colour_map(*factors, MEAN)))


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.4])
def test_brightness_and_saturation_equal_torchvisions(pixels, factor):
    theirs = (pixels / 255).permute(2, 0, 1)
    for ours, adjust in (
        (changed(pixels, factor, 1, 1, 0), adjust_brightness),
        (changed(pixels, 1, 1, factor, 0), adjust_saturation),
    ):
        expected = adjust(theirs, factor).permute(1, 2, 0) * 255
        torch.testing.assert_close(ours, expected, atol=0.1, rtol=0)


def test_contrast_moves_away_from_the_luma_of_the_mean(pixels):
    grey = 0.299 * 90 + 0.587 * 100 + 0.114 * 110
    expected = (grey + 1.3 * (pixels - grey)).clamp(0, 255)
    torch.testing.assert_close(changed(pixels, 1, 1.3, 1, 0), expected, atol=1e-3, rtol=1e-5)


def test_hue_turns_colors_and_leaves_luma_and_greys(pixels):
    muted = 128 + (pixels - 128) / 8  # far from the bounds, where nothing is clipped
    turned = changed(muted, 1, 1, 1, 0.25)
    luma = torch.tensor(YIQ[0], dtype=torch.float32)
    torch.testing.assert_close(turned @ luma, muted @ luma, atol=0.05, rtol=0)
    assert (turned - muted).abs().max() > 5
    torch.testing.assert_close(changed(muted, 1, 1, 1, 1.0), muted, atol=1e-2, rtol=0)
    grey = torch.full((2, 2, 3), 77.0)
    torch.testing.assert_close(changed(grey, 1, 1, 1, 0.3), grey, atol=0.1, rtol=0)


def test_maps_are_drawn_within_their_strengths_and_each_sample_takes_its_own(pixels):
    random = np.random.default_rng(0)
    only = Photometric(brightness=0.2)
    factors = [draw_colour(only, MEAN, random)[0, 0] for _ in range(200)]
    assert 0.8 <= min(factors) < 0.85
    assert 1.15 < max(factors) <= 1.2
    maps = torch.from_numpy(np.stack([colour_map(f, 1, 1, 0, MEAN) for f in (0.5, 1.0)]))
    both = recolour(torch.stack([pixels, pixels]), maps)
    torch.testing.assert_close(both[0], pixels * 0.5, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(both[1], pixels, atol=1e-3, rtol=1e-5)
