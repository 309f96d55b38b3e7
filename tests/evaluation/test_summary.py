import statistics

from eacnet.evaluation.summary import SCORES, headline, summarise


def cell(miou: float) -> dict[str, float]:
    return {name: miou + index for index, name in enumerate(SCORES)}


CELLS = {
    ("dab", "none", 1): cell(50.0),
    ("dab", "none", 2): cell(54.0),
    ("dab", "pooled", 1): cell(51.5),
    ("dab", "pooled", 2): cell(54.5),
    ("erf", "pooled", 1): cell(60.0),
}


def test_means_deviations_and_paired_gains():
    none, pooled, alone = summarise(CELLS)
    assert (none["backbone"], none["calibration"], none["seeds"]) == ("dab", "none", [1, 2])
    spread = {"mean": 52.0, "std": round(statistics.stdev([50, 54]), 4)}
    assert none["scores"]["miou"] == spread
    assert none["gain"] is None
    # Paired by seed: 1.5 and 0.5, although the groups overlap.
    assert pooled["gain"]["miou"] == {"mean": 1.0, "std": round(statistics.stdev([1.5, 0.5]), 4)}
    assert alone["scores"]["miou"] == {"mean": 60.0, "std": None}
    assert alone["gain"] is None


def test_the_headline_compares_across_commits():
    assert headline(summarise(CELLS)) == {
        "dab": {"none": 52.0, "pooled": 53.0, "gain_pooled": 1.0},
        "erf": {"pooled": 60.0},
    }


def test_a_score_that_a_cell_lacks_is_left_out():
    cells = {key: dict(scores) for key, scores in CELLS.items()}
    del cells["dab", "none", 2]["boundary_f1"]
    for entry in summarise(cells):
        assert set(entry["scores"]) == set(SCORES) - {"boundary_f1"}
