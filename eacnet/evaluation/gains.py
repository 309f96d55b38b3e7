"""How sure a gain is: over other images, over other trainings, and over both at once.

A gain is measured with S seeds on N images, each seed giving a pair of networks that share it. The
gain of seed s on image i is a mean, plus a part of the seed, plus one of the image, plus one of
just this seed on just this image: random effects of two crossed factors, as in Owen and Eckles
(Annals of Applied Statistics, 2012). Of the measured mean gain

- the variance between the seeds' gains, over S, estimates the parts of seed and of both together;
- the variance over resampled images estimates the parts of image and of both together. How much
  more the gain of a single seed varies there than the mean of all tells the latter, which is taken
  off, so that it is counted once.

The sum is the variance of the mean gain where both seeds and images are drawn anew. Its critical
value is that of Cochran and Cox (Experimental Designs, 1950) for two variances that are known with
S - 1 and N - 1 degrees of freedom: the mean of both quantiles of Student's t, weighted by the
variances. The crossed ("pigeonhole") bootstrap itself, which resamples seeds like images, claims
too much for few seeds; measurements/interval_coverage.py shows both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr, stdtrit

from eacnet.evaluation.bootstrap import LEVEL, image_interval

# The share of experiments that call a gain of `detectable` points.
POWER = 0.8
# No p-value is told apart from 0 below it.
_LEAST_P = 1e-9


@dataclass(frozen=True)
class Uncertainty:
    """What a measured mean gain owes to chance.

    Attributes:
        of_seeds: the variance that the seeds give it; of_images: that of the images alone.
        seeds: S, at least 2; images: N, at least 2.
    """

    of_seeds: float
    of_images: float
    seeds: int
    images: int

    @classmethod
    def of(cls, by_seed: np.ndarray, resampled: np.ndarray, images: int) -> "Uncertainty":
        """Take the variance of a gain apart; arguments as those of `gain`."""
        seeds = len(by_seed)
        together = np.nanvar(resampled.mean(0))
        of_both = (np.nanvar(resampled, axis=1).mean() - together) / (seeds - 1)
        of_images = max(0.0, float(together - of_both))
        return cls(float(np.var(by_seed, ddof=1)) / seeds, of_images, seeds, images)

    @property
    def error(self) -> float:
        """The standard error of the mean gain."""
        return float(np.sqrt(self.of_seeds + self.of_images))

    def half_width(self, p: float = 1 - LEVEL) -> float:
        """Return the half width of the interval that misses the true gain with probability p."""
        return float(self._half_widths(self.of_seeds, p)) if self.error else 0.0

    def p_value(self, gain: float) -> float:
        """Return the p of the interval that just reaches 0."""
        if not gain or not self.error:
            return float(not gain)
        if self.half_width(_LEAST_P) < abs(gain):
            return 0.0
        return brentq(lambda p: self.half_width(p) - abs(gain), _LEAST_P, 1.0, xtol=1e-10)

    def detectable(self, p: float = 1 - LEVEL) -> float:
        """Return the true gain of which POWER of such experiments would have found a p this small.

        Other seeds and images give another mean gain, normal about the true one, and another
        variance between as many seeds (chi-squared).
        """
        if not self.error:
            return 0.0
        shares = (np.arange(200) + 0.5) / 200
        drawn = 2 * gammaincinv((self.seeds - 1) / 2, shares) / (self.seeds - 1)
        halves = self._half_widths(self.of_seeds * drawn, p)

        def missing(true: float) -> float:
            above, below = (true - halves) / self.error, (-true - halves) / self.error
            return float(np.mean(ndtr(above) + ndtr(below))) - POWER

        return brentq(missing, 0.0, float(halves.max()) + 10 * self.error)

    def _half_widths(self, of_seeds: Any, p: float) -> Any:
        seeds, images = (-stdtrit(count - 1, p / 2) for count in (self.seeds, self.images))
        variance = of_seeds + self.of_images
        return (of_seeds * seeds + self.of_images * images) / np.sqrt(variance)


def gain(by_seed: Sequence[float], resampled: np.ndarray, images: int) -> dict[str, Any]:
    """Describe a gain: its mean, its intervals and how sure it is.

    Args:
        by_seed: the gain of each of S seeds on all images, in percentage points.
        resampled: (S, R), the same on R resamples of the images, the same ones for all seeds.
        images: N.

    Returns:
        mean; std over the seeds; the intervals over `images` (percentile bootstrap of the mean over
        the seeds), `seeds` (Student's t) and `joint` (both, see above); `p`, that of the joint
        interval. One seed, or one image, says nothing about another: all but mean and images are
        None then. Until `judge` has seen all gains, `holm` and `significant` are None, and what
        stands under `detectable` is the gain's Uncertainty.
    """
    values = np.asarray(by_seed, np.float64)
    mean, several = float(values.mean()), len(values) > 1
    found = Uncertainty.of(values, resampled, images) if several and images > 1 else None
    half, seed_half = (found.half_width(), _seed_half_width(values)) if found else (0.0, 0.0)
    return {
        "mean": round(mean, 4),
        "std": round(float(values.std(ddof=1)), 4) if several else None,
        "images": _rounded(image_interval(resampled.mean(0))),
        "seeds": _rounded((mean - seed_half, mean + seed_half)) if found else None,
        "joint": _rounded((mean - half, mean + half)) if found else None,
        "p": round(found.p_value(mean), 6) if found else None,
        "holm": None,
        "detectable": found,
        "significant": None,
    }


def judge(family: Sequence[dict[str, Any]]) -> None:
    """Give every gain of a family its verdict, under Holm's correction (Holm, 1979).

    Args:
        family: what `gain` returned for all pairs that are judged on one score. Those of several
            seeds get `holm`, the adjusted p, and `significant`: whether it is at most 1 - LEVEL.
            Then at most that share of experiments without any gain call one. `detectable` becomes
            the true gain that POWER of such experiments would have called were it the only one
            among as many: the first step of Holm's, Bonferroni's.
    """
    judged = sorted((one for one in family if one["p"] is not None), key=lambda one: one["p"])
    adjusted = 0.0
    for place, one in enumerate(judged):
        adjusted = max(adjusted, min(1.0, (len(judged) - place) * one["p"]))
        one["holm"] = round(adjusted, 6)
        one["significant"] = bool(adjusted <= 1 - LEVEL)
        one["detectable"] = round(one["detectable"].detectable((1 - LEVEL) / len(judged)), 4)


def _seed_half_width(values: np.ndarray) -> float:
    quantile = stdtrit(len(values) - 1, (1 + LEVEL) / 2)
    return float(quantile * values.std(ddof=1) / np.sqrt(len(values)))


def _rounded(ends: Any) -> list[float]:
    return [round(float(end), 4) for end in ends]
