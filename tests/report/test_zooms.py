import numpy as np

from eacnet.report.figures.zooms import densest, most_affected


def test_the_densest_window_by_brute_force():
    mask = np.random.default_rng(0).random((40, 64)) < 0.2
    mask[21:29, 31:45] = True
    found = densest(mask)
    best = max(
        int(mask[y : y + 10, x : x + 16].sum()) for y in range(0, 31) for x in range(0, 49, 2)
    )
    assert found.pixels == mask[found.rows, found.columns].sum() == best
    assert (found.rows.stop - found.rows.start, found.columns.stop - found.columns.start) == (
        10,
        16,
    )


def test_frames_are_ranked_by_what_happens_near_edges():
    effect = np.zeros((4, 2, 4), int)
    effect[:, 0, 2] = [5, 9, 0, 9]  # corrected
    effect[:, 0, 3] = [1, 0, 0, 0]  # broken
    effect[2, 1] = 1000  # far from edges
    assert most_affected(effect, "corrects", 2) == [1, 3]
    assert most_affected(effect, "corrects", 9) == [1, 3, 0]
    assert most_affected(effect, "breaks", 2) == [0]
