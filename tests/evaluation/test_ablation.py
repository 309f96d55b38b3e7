import statistics

import numpy as np
import pytest

from eacnet.errors import InputError
from eacnet.evaluation.ablation import SCORES, headline, summarise
from eacnet.evaluation.bootstrap import draw_images, image_interval, weighted_scores
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import metrics

CLASSES = ["road", "sky"]
NAMES = [{"name": name, "category": ""} for name in CLASSES]


@pytest.fixture
def cells(make_counts):
    """Six images; calibration is better on each, by another amount for another seed."""
    random = np.random.default_rng(0)
    plain = random.integers(20, 60, (6, 2, 2))
    better = np.array([[2, -2], [-1, 1]])

    def cell(gain, seed):
        return make_counts(plain + seed + gain * better, seed)

    return {
        ("dab", "none", 1): cell(0, 1),
        ("dab", "none", 2): cell(0, 2),
        ("dab", "pooled", 1): cell(3, 3),
        ("dab", "pooled", 2): cell(5, 4),
        ("erfnet", "none", 1): cell(4, 5),
    }


def percent(cells, score):
    return {key: metrics(counts, NAMES)[score] for key, counts in cells.items()}


def test_means_deviations_and_paired_gains(cells):
    none, pooled, alone = summarise(cells, CLASSES)
    assert (none["backbone"], none["calibration"], none["seeds"]) == ("dab", "none", [1, 2])
    for score in SCORES:
        figures = list(percent(cells, score).values())
        assert none["scores"][score]["mean"] == pytest.approx(np.mean(figures[:2]), abs=1e-4)
        deviation = statistics.stdev(figures[:2])
        assert none["scores"][score]["std"] == pytest.approx(deviation, abs=1e-4)
        gains = [figures[2] - figures[0], figures[3] - figures[1]]
        found = pooled["gain"][score]
        assert found["mean"] == pytest.approx(np.mean(gains), abs=2e-4)
        assert found["std"] == pytest.approx(statistics.stdev(gains), abs=2e-4)
        # Student's t with one degree of freedom: 12.706
        half = 12.706 * statistics.stdev(gains) / 2**0.5
        ends = [np.mean(gains) - half, np.mean(gains) + half]
        assert found["seeds"] == pytest.approx(ends, abs=5e-3)
    assert none["gain"] is none["class_gain"] is none["bands"] is alone["gain"] is None
    assert alone["scores"]["miou"]["std"] is None


def test_an_encoder_is_compared_with_its_decoder_by_the_same_rule(cells):
    renamed = {("erf", how, 1): cells["dab", how, 1] for how in ("none", "pooled")}
    # A decoder that does just as the encoder without calibration makes both comparisons one.
    renamed["erfnet", "none", 1] = cells["dab", "none", 1]
    plain, pooled, decoder = summarise(renamed, CLASSES)
    assert pooled["over_decoder"] == pooled["gain"]
    assert plain["over_decoder"]["miou"]["mean"] == 0
    assert decoder["over_decoder"] is None
    renamed["erf", "pooled", 2] = cells["dab", "pooled", 2]  # no decoder with this seed
    assert [entry["over_decoder"] for entry in summarise(renamed, CLASSES)][1:] == [None, None]
    assert all(entry["over_decoder"] is None for entry in summarise(cells, CLASSES))


def test_every_resample_takes_the_same_images_for_all_networks_and_seeds(cells):
    pooled = summarise(cells, CLASSES)[1]
    resampled = {key: weighted_scores(counts, draw_images(6)) for key, counts in cells.items()}
    for index, name in enumerate(CLASSES):
        by_seed = [
            resampled["dab", "pooled", seed]["class_iou"]
            - resampled["dab", "none", seed]["class_iou"]
            for seed in (1, 2)
        ]
        ends = 100 * image_interval(np.mean(by_seed, axis=0))[:, index]
        assert pooled["class_gain"][name]["images"] == pytest.approx(ends, abs=1e-4)


def test_a_gain_on_every_image_is_significant_and_none_is_not(cells):
    cells["dab", "pooled", 2] = cells["dab", "none", 2]
    cells["dab", "full", 1] = cells["dab", "none", 1]
    entries = summarise({key: cells[key] for key in cells if key[2] == 1}, CLASSES)
    gains = {entry["calibration"]: entry["gain"] for entry in entries if entry["gain"]}
    assert gains["pooled"]["miou"]["significant"]
    assert gains["pooled"]["miou"]["seeds"] is None
    nothing = {"mean": 0.0, "std": None, "images": [0.0, 0.0], "seeds": None}
    assert gains["full"]["miou"] == {**nothing, "significant": False}
    # With a second seed that shows no gain at all, the images alone no longer settle it.
    both = summarise({key: cells[key] for key in cells if key[1] != "full"}, CLASSES)[1]["gain"]
    assert both["miou"]["images"][0] > 0
    assert not both["miou"]["significant"]


def test_bands_are_counted_over_the_images(cells):
    pooled = summarise(cells, CLASSES)[1]
    assert set(pooled["bands"]) == {"3", "5", "9", "outside"}
    assert pooled["bands"]["9"] == {"won": 6, "lost": 0, "tied": 0}


def test_the_headline_compares_across_commits(cells):
    entries = summarise(cells, CLASSES)
    of_dab = [entry["scores"]["miou"]["mean"] for entry in entries[:2]]
    assert headline(entries) == {
        "dab": {
            "none": of_dab[0],
            "pooled": of_dab[1],
            "gain_pooled": entries[1]["gain"]["miou"]["mean"],
        },
        "erfnet": {"none": entries[2]["scores"]["miou"]["mean"]},
    }


def test_what_a_cell_does_not_define_is_left_out(cells):
    whole = cells["dab", "none", 2]
    confusion = whole.confusion * np.array([[1, 0], [0, 0]])
    cells["dab", "none", 2] = Counts(confusion, whole.bands * 0, whole.boundary)
    for entry in summarise(cells, CLASSES):
        assert set(entry["scores"]) == {"miou", "pixel_accuracy", "boundary_f1"}
        assert set(entry["class_iou"]) == {"road"}
        assert set(entry["class_gain"] or {"road"}) == {"road"}


def test_cells_of_other_images_are_refused(cells):
    counts = cells["dab", "none", 1]
    arrays = (counts.confusion, counts.bands, counts.boundary)
    cells["dab", "none", 1] = Counts(*(array[:5] for array in arrays))
    with pytest.raises(InputError, match="different images"):
        summarise(cells, CLASSES)
