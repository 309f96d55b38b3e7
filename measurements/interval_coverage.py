"""How often the intervals of a gain hold the true one, and how often a gain is called.

Experiments are drawn whose true gain is known: S pairs of networks on N images, with random parts
of the seed, of the image and of both together, and a gain planted in all of them. Printed in
percent: how often the joint interval holds the planted gain; how often it is called where nothing
is planted, and where `detectable` points of that setting are planted (80 is aimed at); and the
coverage of the crossed (pigeonhole) bootstrap, to compare.

    python measurements/interval_coverage.py
"""

import argparse
from itertools import product

import numpy as np

from eacnet.evaluation.bootstrap import LEVEL, draw_images, image_interval
from eacnet.evaluation.gains import Uncertainty

# In percentage points: the deviation between seeds, and the standard errors that the images give
# all seeds alike and each seed apart. Seen on CamVid: 0.3 to 1, and 0.3 to 0.4 for both together.
SETTINGS = [(0.3, 0.3, 0.0), (0.3, 0.2, 0.2), (0.5, 0.2, 0.3), (1.0, 0.3, 0.2), (0.1, 0.05, 0.3)]


def experiment(random, seeds, images, setting, planted, weights):
    """Return the gains of the seeds, (S,), and on each resample of the images, (S, R)."""
    of_seed, of_image, of_both = setting
    gains = planted + random.normal(0, of_seed, (seeds, 1))
    gains = gains + random.normal(0, of_image * np.sqrt(images), (1, images))
    gains = gains + random.normal(0, of_both * np.sqrt(images), (seeds, images))
    return gains.mean(1), gains @ weights.T / images


def pigeonhole(random, resampled):
    """Return the percentile interval of resampled seeds on resampled images."""
    seeds, resamples = resampled.shape
    drawn = random.multinomial(seeds, np.full(seeds, 1 / seeds), resamples)
    return image_interval((drawn.T * resampled).sum(0) / seeds)


def truth(seeds, images, setting):
    """Return the uncertainty of a setting as it is, not as an experiment estimates it."""
    of_seed, of_image, of_both = setting
    return Uncertainty((of_seed**2 + of_both**2) / seeds, of_image**2, seeds, images)


def rates(seeds, images, setting, experiments, resamples=1000, seed=0):
    """Return coverage, called without a gain, called with a detectable one, and pigeonhole's."""
    random = np.random.default_rng(seed)
    weights = draw_images(images, resamples)
    detectable = truth(seeds, images, setting).detectable()
    outcomes = []
    for _ in range(experiments):
        by_seed, resampled = experiment(random, seeds, images, setting, 0.0, weights)
        found = Uncertainty.of(by_seed, resampled, images)
        low, high = pigeonhole(random, resampled)
        called = [abs(by_seed.mean() + true) > found.half_width() for true in (0, detectable)]
        # All is linear here: what holds 0 without a gain holds any planted one.
        outcomes.append((not called[0], *called, low <= 0 <= high))
    return detectable, *np.mean(outcomes, axis=0)


def main() -> None:
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 6])
    parser.add_argument("--images", type=int, nargs="+", default=[100, 250])
    arguments = parser.parse_args()
    print(f"{arguments.experiments} experiments a row, {100 * LEVEL:g} % intervals")
    print("seeds images  of seed  of image  of both  coverage  called  detectable  called  crossed")
    for seeds, images, setting in product(arguments.seeds, arguments.images, SETTINGS):
        detectable, *shares = rates(seeds, images, setting, arguments.experiments)
        coverage, nothing, planted, crossed = (100 * share for share in shares)
        print(
            "{:5} {:6} {:8} {:9} {:8}".format(seeds, images, *setting),
            f"{coverage:9.1f} {nothing:7.1f} {detectable:11.2f} {planted:7.1f} {crossed:8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
