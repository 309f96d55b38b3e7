import re

import pytest

from eacnet.report.tables.ablation import ablation as ablation_section
from eacnet.report.tables.gains import class_differences, differences, gain, over_decoder, wins

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def shown(table):
    return [[str(cell) for cell in row] for row in table.rows]


def test_the_section_has_every_table(ablation):
    text = ablation_section(ablation)
    assert re.findall("^#+ .*", text, re.MULTILINE) == [
        "## Ablation: with and without calibration",
        "### What calibration gains",
        "### By class",
        "### Images won and lost",
    ]
    assert "not significant" in text
    # A heading or table right behind a paragraph would become part of it.
    assert not re.search(r"[^\n]\n#|[^\n|]\n\|", text)


def test_without_calibration_nothing_is_compared(ablation):
    ablation["groups"] = [group for group in ablation["groups"] if not group["gain"]]
    assert "###" not in ablation_section(ablation)


def test_differences_by_hand(ablation):
    table = differences(ablation)
    assert shown(table) == [
        ["dab", "pooled", "mIoU", "+1.25 ± 0.10 [+0.50, +2.00]", "+0.35 to +2.15", "significant"],
        ["erf", "pooled", "mIoU", f"{MINUS}0.50 [{MINUS}1.50, +0.50]", DASH, "not significant"],
    ]
    assert "95 % interval" in table.note
    assert "10,000 resamples of the 2 frames" in table.note
    assert "With 2 seeds" in table.note


def test_over_a_decoder_by_hand(ablation):
    assert over_decoder(ablation) is None
    group = ablation["groups"][-1]
    entry = {"mean": 1.5, "std": None, "images": [0.5, 2.5], "seeds": None, "significant": True}
    group["over_decoder"] = {"miou": entry}
    own = [group["backbone"], group["calibration"]]
    assert shown(over_decoder(ablation)) == [
        [*own, "mIoU", "+1.50 [+0.50, +2.50]", DASH, "significant"]
    ]
    assert "### Instead of a decoder" in ablation_section(ablation)


def test_classes_by_hand(ablation):
    table = class_differences(ablation)
    assert table.columns == [
        "class",
        "dab, pooled",
        "dab, pooled: verdict",
        "erf, pooled",
        "erf, pooled: verdict",
    ]
    chance = f"{MINUS}0.50 [{MINUS}1.50, +0.50]"
    sky = f"+3.00 ± 5.00 [{MINUS}1.00, +7.00]"
    assert shown(table) == [
        ["road", "+1.25 ± 0.10 [+0.50, +2.00]", "significant", chance, "not significant"],
        ["sky", sky, "not significant", DASH, DASH],
    ]


def test_wins_by_hand(ablation):
    rows = shown(wins(ablation))
    assert rows[:2] == [
        ["dab, pooled", "within 3 px", "2", "0", "0"],
        ["dab, pooled", "within 5 px", "2", "0", "0"],
    ]
    assert rows[3] == ["dab, pooled", "elsewhere", "0", "1", "1"]
    assert len(rows) == 8


def test_a_gain_over_seeds_in_words(ablation):
    text = gain(ablation, "dab", "pooled")
    assert "changes mIoU by +1.25 ± 0.10 percentage points" in text
    assert "+0.50 to +2.00 over the images and +0.35 to +2.15 over the seeds" in text
    assert text.endswith("is significant. 2 seeds are a rough guide.")
    entry = ablation["groups"][1]
    entry["seeds"] = [1, 2, 3, 4, 5]
    entry["gain"]["miou"] |= {"significant": False, "seeds": [-0.1, 2.0]}
    text = gain(ablation, "dab", "pooled")
    assert f"{MINUS}0.10 to +2.00 over the seeds, so the difference is not significant." in text
    assert "rough guide" not in text


@pytest.mark.parametrize(("significant", "word"), [(True, "excludes"), (False, "holds")])
def test_a_gain_from_one_seed_is_called_so(ablation, significant, word):
    ablation["groups"][3]["gain"]["miou"]["significant"] = significant
    text = gain(ablation, "erf", "pooled")
    assert f"changes mIoU by {MINUS}0.50 percentage points" in text
    assert f"interval, {MINUS}1.50 to +0.50 over the images, {word} zero" in text
    assert "does not tell how much of the difference is chance" in text
    assert "±" not in text


def test_an_unknown_gain_is_not_spoken_of(ablation):
    assert gain(ablation, "dab", "none") == ""
    assert gain(ablation, "enet", "pooled") == ""
