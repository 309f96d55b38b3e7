import numpy as np
import pytest
import scipy.stats

from eacnet.evaluation import ablation
from eacnet.evaluation.bootstrap import draw_images
from eacnet.evaluation.gains import Uncertainty, gain, judge
from measurements.interval_coverage import rates, truth


def crossed(of_seed, of_image, of_both, seeds=4, images=50):
    """Gains of each seed on each image, (S, N), of which the parts are known."""
    random = np.random.default_rng(0)
    parts = random.normal(size=(seeds, 1)), random.normal(size=(1, images))
    both = random.normal(size=(seeds, images))
    both -= both.mean(0)
    return 1 + of_seed * parts[0] + of_image * parts[1] + of_both * both


def told(table, resamples=4000):
    images = table.shape[1]
    resampled = table @ draw_images(images, resamples).T / images
    return gain(table.mean(1), resampled, images), Uncertainty.of(table.mean(1), resampled, images)


def test_the_seeds_interval_is_that_of_a_paired_t_test():
    ours, theirs = np.array([61.0, 62.5, 60.2, 63.0]), np.array([60.1, 61.9, 60.3, 61.2])
    expected = scipy.stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    found = gain(ours - theirs, np.zeros((4, 10)), 5)
    assert found["seeds"] == pytest.approx(list(expected), abs=1e-4)
    # Where images make no difference, it is the joint one, and p is that of the test.
    assert found["joint"] == found["seeds"]
    assert found["p"] == pytest.approx(scipy.stats.ttest_rel(ours, theirs).pvalue, abs=1e-6)


def test_where_seeds_agree_the_joint_interval_is_that_over_images():
    table = np.repeat(crossed(0, 1, 0)[:1], 3, axis=0)
    found, _ = told(table)
    expected = scipy.stats.ttest_1samp(table[0], 0).confidence_interval(0.95)
    assert found["joint"] == pytest.approx(list(expected), abs=0.02)
    assert found["joint"] == pytest.approx(found["images"], abs=0.03)


def test_the_variances_are_those_of_two_crossed_random_effects():
    """Against the mean squares of the table: Var(mean) = (MS_seed + MS_image - MS_both) / SN."""
    table = crossed(0.5, 3, 3)
    seeds, images = table.shape
    rows, columns = table.mean(1), table.mean(0)
    residual = table - rows[:, None] - columns + table.mean()
    both = (residual**2).sum() / (seeds - 1) / (images - 1)
    found = told(table, 40_000)[1]
    assert found.of_seeds == pytest.approx(rows.var(ddof=1) / seeds)
    expected = (seeds * columns.var(ddof=1) - both) / seeds / images
    assert found.of_images == pytest.approx(expected * (images - 1) / images, rel=0.05)


def test_p_is_that_of_the_interval_that_reaches_zero():
    for found in (Uncertainty(0.3, 0.2, 3, 100), Uncertainty(0.01, 0.2, 2, 24)):
        for level in (0.5, 0.05, 0.001):
            assert found.p_value(found.half_width(level)) == pytest.approx(level, rel=1e-5)
        assert found.p_value(-1.0) == found.p_value(1.0)
        assert (found.p_value(0.0), found.p_value(1e12)) == (1.0, 0.0)
    assert Uncertainty(0.0, 0.0, 3, 100).p_value(0.1) == 0.0


def test_detectable_is_the_gain_at_which_a_t_test_has_its_power():
    """Where images make no difference: the noncentral t distribution."""
    for seeds in (3, 6):
        found = Uncertainty(0.09, 0.0, seeds, 100)
        critical = scipy.stats.t.ppf(0.975, seeds - 1)
        power = scipy.stats.nct.sf(critical, seeds - 1, found.detectable() / 0.3)
        assert power == pytest.approx(0.8, abs=2e-3)


def test_holm_by_hand():
    found = Uncertainty(0.09, 0.0, 6, 100)
    family = [{"p": p, "detectable": p and found} for p in (0.04, 0.001, None, 0.03, 0.02)]
    judge(family)
    holm = [one.get("holm") for one in family]
    assert holm == [
        0.06,
        0.004,
        None,
        0.06,
        0.06,
    ]  # 4 x .001, 3 x .02, max(., 2 x .03), max(., 1 x .04)
    assert [one.get("significant") for one in family] == [False, True, None, False, False]
    # Of four gains the one that is there alone is called where its p is below 0.05 / 4.
    critical = scipy.stats.t.ppf(1 - 0.0125 / 2, 5)
    power = scipy.stats.nct.sf(critical, 5, family[0]["detectable"] / 0.3)
    assert power == pytest.approx(0.8, abs=2e-3)
    assert family[2]["detectable"] is None


def test_one_image_says_nothing_of_others():
    found = gain([0.5, 0.7], np.array([[0.5, 0.5], [0.7, 0.7]]), 1)
    assert (found["joint"], found["p"], found["detectable"]) == (None, None, None)


@pytest.mark.parametrize("seeds", [3, 6])
def test_intervals_hold_the_truth_as_often_as_they_say(seeds):
    for setting in ((0.3, 0.2, 0.2), (1.0, 0.3, 0.2)):
        expected = truth(seeds, 100, setting).detectable()
        detectable, coverage, nothing, planted, _ = rates(seeds, 100, setting, 600, 300)
        assert detectable == expected
        # Three standard errors of 600 experiments beyond 94 to 97 %.
        assert 0.915 < coverage < 0.99
        assert nothing == pytest.approx(1 - coverage)
        assert planted == pytest.approx(0.8, abs=0.05)


def test_the_ablation_rarely_calls_chance_and_finds_what_is_planted(make_counts, monkeypatch):
    """Networks of one kind, seeds and images apart by chance: mIoU from counts to verdict."""
    monkeypatch.setattr(ablation, "draw_images", lambda images: draw_images(images, 200))
    monkeypatch.setattr(ablation, "progress", lambda cells, **_: cells)
    random = np.random.default_rng(0)
    called = {0: [], 60: []}
    for _ in range(60):
        images = random.integers(300, 700, (40, 2))  # right pixels of 1000, by class
        for planted, outcomes in called.items():
            cells = {}
            for how, seed in ((how, seed) for how in ("none", "pooled") for seed in range(3)):
                right = images + random.normal(0, 8, (1, 2)) + random.normal(0, 20, (40, 2))
                right = np.clip(right + planted * (how == "pooled"), 0, 1000).astype(int)
                rows = [[right[:, 0], 1000 - right[:, 0]], [1000 - right[:, 1], right[:, 1]]]
                cells["dab", how, seed] = make_counts(np.moveaxis(np.array(rows), 2, 0))
            gains = ablation.summarise(cells, ["road", "sky"])[1]["gains"]["none"]
            outcomes.append(gains["miou"]["significant"])
    assert np.mean(called[0]) < 0.14  # three standard errors of 60 experiments above 5 %
    assert np.mean(called[60]) > 0.9
