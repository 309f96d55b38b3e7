import numpy as np
import pytest
import scipy.stats

from eacnet.evaluation import scores
from eacnet.evaluation.bootstrap import draw_images, image_interval
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details
from eacnet.evaluation.scores import weighted_scores

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
    confusion = counts.confusion.sum(0)
    found = {name: one[0] for name, one in weighted_scores(counts, np.ones((1, IMAGES))).items()}
    assert np.isnan(found["coarse_miou"])
    assert np.array_equal(found["class_iou"], scores.class_iou(confusion))
    assert found["miou"] == np.mean(found["class_iou"])
    assert found["pixel_accuracy"] == confusion.trace() / confusion.sum()
    for width in ("3", "5", "9"):
        band = 100 * found[f"band_miou_{width}"]
        assert full["bands"][width]["miou"] == pytest.approx(band, abs=5e-5)
    of_images = scores.boundary_f1(counts.boundary)
    assert found["boundary_f1"] == pytest.approx(np.nanmean(of_images), rel=1e-12)


def test_a_weight_is_how_often_an_image_occurs(make_counts):
    counts = make_counts(random_confusion(1, images=3))
    repeated = Counts(*(getattr(counts, name)[[0, 0, 2]] for name in ("confusion", "bands")),
                      counts.boundary[[0, 0, 2]])  # fmt: skip
    found = weighted_scores(counts, np.array([[1.0, 1, 1], [2, 0, 1]]))
    expected = weighted_scores(repeated, np.ones((1, 3)))
    for name, values in expected.items():
        assert np.allclose(found[name][1], values[0], rtol=1e-12, equal_nan=True), name


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
