import numpy as np

from eacnet.evaluation.counts import Counts
from eacnet.evaluation.images_won import images_won


def right(*pixels):
    """Confusion of images with so many right ones of ten pixels."""
    return np.array([[[n, 10 - n], [0, 0]] for n in pixels])


def test_wins_and_losses_by_hand():
    nothing = np.zeros_like(right(0, 0, 0))
    boundary = np.zeros((3, 2, 4), int)

    def counts(narrow, outside, ring):
        wide = right(*narrow) + right(*3 * [ring])
        bands = np.stack([nothing, right(*narrow), wide], 1)
        return Counts(wide + right(*outside), bands, boundary)

    ours = [counts([5, 5, 9], [9, 4, 5], 0), counts([6, 4, 1], [9, 4, 5], 0)]
    theirs = [counts([5, 5, 4], [9, 5, 5], 9), counts([5, 4, 7], [8, 5, 5], 9)]
    assert images_won(ours, theirs) == {
        "3": {"won": 0, "lost": 0, "tied": 0},  # no pixel is that near to an edge
        "5": {"won": 1, "lost": 1, "tied": 1},  # 11, 9, 10 against 10, 9, 11
        "9": {"won": 0, "lost": 3, "tied": 0},  # 11, 9, 10 against 28, 27, 29
        "outside": {"won": 1, "lost": 1, "tied": 1},  # 18, 8, 10 against 17, 10, 10
    }
