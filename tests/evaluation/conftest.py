import numpy as np
import pytest

from eacnet.evaluation.counts import BANDS, Counts


@pytest.fixture
def make_counts():
    """Return a function: confusion (N, K, K) -> counts with half of it in the narrowest band."""

    def make(confusion, seed=0):
        random = np.random.default_rng(seed)
        confusion = np.asarray(confusion)
        share = np.linspace(0.5, 0.9, len(BANDS))[:, None, None]
        bands = (confusion[:, None] * share).astype(np.int64)
        whole = random.integers(0, 9, (*confusion.shape[:2], 2))
        found = random.integers(0, whole + 1)
        boundary = np.stack([found[..., 0], whole[..., 0], found[..., 1], whole[..., 1]], -1)
        return Counts(confusion, bands, boundary)

    return make
