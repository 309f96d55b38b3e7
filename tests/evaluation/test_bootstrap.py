import numpy as np
import pytest
import scipy.stats

from eacnet.evaluation import scores
from eacnet.evaluation.bootstrap import (
    draw_images,
    image_interval,
    is_significant,
    seed_interval,
    weighted_scores,
    wins,
)
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details

IMAGES, CLASSES = 12, 3
NAMES = [{"name": name, "category": ""} for name in "abc"]


def random_confusion(seed, images=IMAGES, right=60):
    """Confusion of images that differ a lot in how hard they are."""
    random = np.random.default_rng(seed)
    hits = random.integers(right // 3, right, (images, CLASSES))
    return (
        random.integers(0, 20, (images, CLASSES, CLASSES))
        + np.eye(CLASSES, dtype=int) * hits[:, None]
    )


def test_the_split_as_it_is_has_the_scores_of_its_evaluation(make_counts):
    counts = make_counts(random_confusion(1))
    full = details(counts, NAMES)
    expected = {name: full[name] for name in ("miou", "pixel_accuracy", "boundary_f1")}
    expected |= {f"band_miou_{width}": full["bands"][width]["miou"] for width in ("3", "5", "9")}
    found = weighted_scores(counts, np.ones((1, IMAGES)))
    class_iou = found.pop("class_iou")
    assert np.allclose(100 * class_iou, list(full["class_iou"].values()), atol=1e-4)
    assert {name: round(100 * float(value[0]), 4) for name, value in found.items()} == expected


def test_a_weight_is_how_often_an_image_occurs(make_counts):
    counts = make_counts(random_confusion(1, images=3))
    repeated = Counts(*(getattr(counts, name)[[0, 0, 2]] for name in ("confusion", "bands")),
                      counts.boundary[[0, 0, 2]])  # fmt: skip
    found = weighted_scores(counts, np.array([[1.0, 1, 1], [2, 0, 1]]))
    expected = weighted_scores(repeated, np.ones((1, 3)))
    for name, values in expected.items():
        assert np.allclose(found[name][1], values[0], rtol=1e-12), name


def test_images_are_drawn_as_often_as_there_are_and_the_same_each_time():
    drawn = draw_images(7, resamples=2000)
    assert drawn.shape == (2000, 7)
    assert (drawn.sum(1) == 7).all()
    assert np.array_equal(drawn, draw_images(7, resamples=2000))
    assert not np.array_equal(drawn, draw_images(7, resamples=2000, seed=1))
    # The count of an image is binomial: mean 1, variance 1 - 1/N.
    assert np.allclose(drawn.mean(0), 1, atol=0.1)
    assert np.allclose(drawn.var(0), 6 / 7, atol=0.15)


@pytest.mark.parametrize("name", ["miou", "boundary_f1"])
def test_the_interval_is_that_of_scipy(make_counts, name):
    """Over the same images, two networks: scipy resamples indices, one confusion at a time."""
    ours, theirs = (make_counts(random_confusion(seed), seed) for seed in (1, 2))
    of_images = {
        "miou": lambda counts, drawn: scores.mean_iou(counts.confusion[drawn].sum(0)),
        "boundary_f1": lambda counts, drawn: np.nanmean(scores.boundary_f1(counts.boundary[drawn])),
    }[name]
    index = np.arange(IMAGES)
    expected = scipy.stats.bootstrap(
        (index, index),
        lambda a, b: of_images(ours, a) - of_images(theirs, b),
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(3),
    )
    drawn = draw_images(IMAGES)
    found = image_interval(
        weighted_scores(ours, drawn)[name] - weighted_scores(theirs, drawn)[name]
    )
    # A percentile of 4000 draws from a normal distribution has a standard error of 0.042 sigma.
    limit = 4 * 0.05 * expected.standard_error
    assert np.allclose(found, expected.confidence_interval, rtol=0, atol=limit)


def test_a_resample_without_a_class_has_no_say_about_it():
    assert np.allclose(image_interval(np.array([[1.0, np.nan], [1.0, 3.0]])), [[1, 3], [1, 3]])


def gain_interval(make_counts, ours, theirs, drawn):
    difference = (
        weighted_scores(make_counts(ours), drawn)["miou"]
        - weighted_scores(make_counts(theirs), drawn)["miou"]
    )
    return tuple(image_interval(difference))


def test_a_constant_shift_is_found_significant(make_counts):
    """One more right pixel in a hundred on every image, though images differ by far more."""
    before = random_confusion(1, images=40)
    after = before + np.array([[1, -1, 0], [-1, 1, 0], [0, 0, 0]]) * (before[:, :1, 1:2] > 0)
    interval = gain_interval(make_counts, after, before, draw_images(40))
    assert is_significant(interval, None)
    assert interval[0] > 0
    assert is_significant(gain_interval(make_counts, before, after, draw_images(40)), None)


def test_noise_is_rarely_found_significant(make_counts):
    """Two networks of one kind: about 5 % of the intervals miss the true difference, which is 0."""
    drawn = draw_images(100, resamples=500)
    missed = [
        is_significant(
            gain_interval(
                make_counts,
                random_confusion(2 * trial, images=100),
                random_confusion(2 * trial + 1, images=100),
                drawn,
            ),
            None,
        )
        for trial in range(300)
    ]
    assert 0.02 < np.mean(missed) < 0.08


def test_the_interval_over_seeds_is_that_of_a_paired_t_test():
    ours, theirs = np.array([61.0, 62.5, 60.2, 63.0]), np.array([60.1, 61.9, 60.3, 61.2])
    expected = scipy.stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert np.allclose(seed_interval((ours - theirs).tolist()), expected)
    assert seed_interval([1.0]) is None


@pytest.mark.parametrize(
    ("images", "seeds", "expected"),
    [
        ((0.1, 0.5), None, True),
        ((-0.5, -0.1), None, True),
        ((-0.1, 0.5), None, False),
        ((0.0, 0.0), None, False),
        ((0.1, 0.5), (0.2, 0.3), True),
        ((0.1, 0.5), (-3.0, 3.6), False),
        ((-0.1, 0.5), (0.2, 0.3), False),
    ],
)
def test_a_difference_is_significant_where_no_interval_holds_zero(images, seeds, expected):
    assert is_significant(images, seeds) == expected


def right(*pixels):
    """Confusion of images with so many right ones of ten pixels."""
    return np.array([[[n, 10 - n], [0, 0]] for n in pixels])


def test_wins_and_losses_by_hand():
    nothing = np.zeros_like(right(0, 0, 0))
    boundary = np.zeros((3, 2, 4), int)

    def counts(narrow, outside):
        bands = np.stack([nothing, right(*narrow), right(*narrow)], 1)
        return Counts(right(*narrow) + right(*outside), bands, boundary)

    ours = [counts([5, 5, 9], [9, 4, 5]), counts([6, 4, 1], [9, 4, 5])]
    theirs = [counts([5, 5, 4], [9, 5, 5]), counts([5, 4, 7], [8, 5, 5])]
    assert wins(ours, theirs) == {
        "3": {"won": 0, "lost": 0, "tied": 0},  # no pixel is that near to an edge
        "5": {"won": 1, "lost": 1, "tied": 1},  # 11, 9, 10 against 10, 9, 11
        "9": {"won": 1, "lost": 1, "tied": 1},
        "outside": {"won": 1, "lost": 1, "tied": 1},  # 18, 8, 10 against 17, 10, 10
    }
