import statistics

import numpy as np
import pytest

from eacnet.errors import InputError
from eacnet.evaluation import scores
from eacnet.evaluation.ablation import headline, summarise
from eacnet.evaluation.bootstrap import draw_images, image_interval
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details, metrics
from eacnet.evaluation.scores import Score, weighted_scores

CLASSES = ["road", "sky"]
SCALARS = {"miou", "pixel_accuracy", "mean_class_accuracy", "boundary_f1"}
BANDS = {"band_miou_3", "band_miou_5", "band_miou_9"}
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
    return {key: details(counts, NAMES)[score] for key, counts in cells.items()}


def test_means_deviations_and_paired_gains(cells):
    none, pooled, alone = summarise(cells, CLASSES)
    assert (none["backbone"], none["calibration"], none["seeds"]) == ("dab", "none", [1, 2])
    for score in SCALARS | BANDS:
        figures = list(percent(cells, score).values())
        assert none["scores"][score]["mean"] == pytest.approx(np.mean(figures[:2]), abs=1e-4)
        deviation = statistics.stdev(figures[:2])
        assert none["scores"][score]["std"] == pytest.approx(deviation, abs=1e-4)
        gains = [figures[2] - figures[0], figures[3] - figures[1]]
        found = pooled["gains"]["none"][score]
        assert found["mean"] == pytest.approx(np.mean(gains), abs=2e-4)
        assert found["std"] == pytest.approx(statistics.stdev(gains), abs=2e-4)
        # Student's t with one degree of freedom: 12.706
        half = 12.706 * statistics.stdev(gains) / 2**0.5
        ends = [np.mean(gains) - half, np.mean(gains) + half]
        assert found["seeds"] == pytest.approx(ends, abs=5e-3)
    assert none["gains"] == alone["gains"] == {}
    assert none["bands"] is None
    assert alone["scores"]["miou"]["std"] is None


def test_an_encoder_is_compared_with_its_decoder_by_the_same_rule(cells):
    renamed = {("erf", how, 1): cells["dab", how, 1] for how in ("none", "pooled")}
    # A decoder that does just as the encoder without calibration makes both comparisons one.
    renamed["erfnet", "none", 1] = cells["dab", "none", 1]
    plain, pooled, decoder = summarise(renamed, CLASSES)
    assert pooled["gains"]["decoder"] == pooled["gains"]["none"]
    assert plain["gains"]["decoder"]["miou"]["mean"] == 0
    assert decoder["gains"] == {}
    renamed["erf", "pooled", 2] = cells["dab", "pooled", 2]  # no decoder with this seed
    for entry in [*summarise(renamed, CLASSES)[1:], *summarise(cells, CLASSES)]:
        assert "decoder" not in entry["gains"]


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
        assert pooled["gains"]["none"]["class_iou"][name]["images"] == pytest.approx(ends, abs=1e-4)


def test_one_seed_gives_no_verdict_whatever_the_images_say(cells):
    one = {key: counts for key, counts in cells.items() if key[2] == 1}
    gain = summarise(one, CLASSES)[1]["gains"]["none"]["miou"]
    assert gain["images"][0] > 0
    told = {name for name, value in gain.items() if value is not None}
    assert told == {"mean", "images"}


def test_a_gain_of_every_seed_on_every_image_is_called_and_chance_is_not(cells):
    del cells["erfnet", "none", 1]
    plain, pooled = cells["dab", "none", 1], [cells["dab", "pooled", seed] for seed in (1, 2)]
    for seed in range(1, 7):
        cells["dab", "none", seed] = cells["dab", "full", seed] = plain
        cells["dab", "pooled", seed] = pooled[seed % 2]
    entries = {entry["calibration"]: entry for entry in summarise(cells, CLASSES)}
    gain = entries["pooled"]["gains"]["none"]["miou"]
    assert gain["significant"]
    assert gain["joint"][0] > 0
    # What the seeds agree on, the images alone decide, and no gain at all is none.
    nothing = {"mean": 0.0, "std": 0.0, "detectable": 0.0, "p": 1.0, "holm": 1.0}
    nothing |= {over: [0.0, 0.0] for over in ("images", "seeds", "joint")}
    assert entries["full"]["gains"]["none"]["miou"] == {**nothing, "significant": False}


def test_each_is_held_against_the_references_that_are_there(cells):
    calibrations = ("none", "point", "local", "pooled", "full")
    cells |= {("erf", how, 1): cells["dab", "pooled", 1] for how in calibrations}
    cells["erf", "point", 1] = cells["dab", "none", 1]
    entries = {e["calibration"]: e for e in summarise(cells, CLASSES) if e["backbone"] == "erf"}
    references = {how: list(entry["gains"]) for how, entry in entries.items()}
    assert references == {
        "none": ["decoder"],
        "point": ["none", "decoder"],
        "local": ["none", "point", "decoder"],
        "pooled": ["none", "point", "decoder"],
        "full": ["none", "point", "pooled", "decoder"],
    }
    gains = entries["full"]["gains"]
    assert gains["none"]["miou"]["mean"] == gains["pooled"]["class_iou"]["sky"]["mean"] == 0
    assert gains["point"]["miou"]["mean"] == -entries["point"]["gains"]["none"]["miou"]["mean"] > 0


def test_all_pairs_of_a_score_are_one_family(cells):
    cells |= {("erfnet", "none", 2): cells["dab", "none", 2]}
    cells |= {("erf", "none", seed): cells["dab", "pooled", seed] for seed in (1, 2)}
    cells |= {("dab", "full", seed): cells["dab", "pooled", 3 - seed] for seed in (1, 2)}
    tables = [table for entry in summarise(cells, CLASSES) for table in entry["gains"].values()]
    for of in (lambda table: [table["miou"]], lambda table: list(table["class_iou"].values())):
        family = [one for table in tables for one in of(table)]
        assert len(family) == len(of(tables[0])) * 4
        least = min(family, key=lambda one: one["p"])
        assert least["holm"] == pytest.approx(min(1, len(family) * least["p"]), abs=1e-5)


def test_a_further_score_is_one_entry_of_the_list(cells, monkeypatch):
    def weighted_iou(counts, weights):
        """Every class counts by its pixels."""
        whole = scores.total(counts.confusion, weights)
        return (whole.sum(2) * scores.class_iou(whole)).sum(1) / whole.sum((1, 2))

    entry = Score("frequency_weighted_iou", "frequency-weighted IoU", weighted_iou)
    monkeypatch.setattr(scores, "SCORES", (*scores.SCORES, entry))
    confusion = cells["dab", "none", 1].confusion.sum(0)
    expected = np.average(scores.class_iou(confusion), weights=confusion.sum(1))
    for made in (metrics, details):
        found = made(cells["dab", "none", 1], NAMES)["frequency_weighted_iou"]
        assert found == pytest.approx(100 * expected, abs=1e-4)
    pooled = summarise(cells, CLASSES)[1]
    assert pooled["scores"]["frequency_weighted_iou"]["std"] > 0
    gain = pooled["gains"]["none"]["frequency_weighted_iou"]
    assert gain["joint"][0] < gain["images"][0] <= gain["mean"] <= gain["images"][1]


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
            "gain_pooled": entries[1]["gains"]["none"]["miou"]["mean"],
        },
        "erfnet": {"none": entries[2]["scores"]["miou"]["mean"]},
    }


def test_what_a_cell_does_not_define_is_left_out(cells):
    whole = cells["dab", "none", 2]
    confusion = whole.confusion * np.array([[1, 0], [0, 0]])
    cells["dab", "none", 2] = Counts(confusion, whole.bands * 0, whole.boundary)
    for entry in summarise(cells, CLASSES):
        assert set(entry["scores"]) == SCALARS
        assert set(entry["class_iou"]) == {"road"}
        for gains in entry["gains"].values():
            assert set(gains["class_iou"]) == {"road"}


def test_cells_of_other_images_are_refused(cells):
    counts = cells["dab", "none", 1]
    arrays = (counts.confusion, counts.bands, counts.boundary)
    cells["dab", "none", 1] = Counts(*(array[:5] for array in arrays))
    with pytest.raises(InputError, match="different images"):
        summarise(cells, CLASSES)
