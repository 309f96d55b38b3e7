"""The page of a report that GitHub shows, and what it says in words."""

import re

import pytest
from experiment import DATA, difference

from eacnet.report.figures import FIGURES
from eacnet.report.pages.readme import readme
from eacnet.report.pages.words import _conclusion, summary
from eacnet.report.tables import shown

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
DRAWN = [one for one in FIGURES if one.name in ("training", "examples", "confusion")]


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_page_is_well_formed(results, calibrated):
    found = results(calibrated)
    text = readme(found, DRAWN)
    assert sorted(re.findall(r"\]\(([^)]*)\)", text)) == [
        "checklist.md",
        *(f"figures/{name}" for name in ("confusion.png", "confusion.svg", "examples.png")),
        *("figures/training.png", "figures/training.svg", "index.html", "tables/ablation.tex"),
    ]
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.split(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block
    tables = [table.caption for table in shown(found)]
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert headings == [*tables[:-2], "Training", "Confusion", "Examples", *tables[-2:]]
    # A heading or table right behind a paragraph would become part of it.
    assert not re.search(r"[^\n]\n#|[^\n|]\n\|", text)
    assert "None" not in text
    assert not re.search(r"\bnan\b", text)


def test_the_introduction_says_what_was_done(results):
    title, _, done, _, found, *_ = readme(results(variant="_adam"), ()).splitlines()
    assert title == "# EACNet on CamVid: backbone dab, calibration pooled"
    assert "trained on 4 frames of CamVid (splits train and val; 11 classes)" in done
    assert f"for 1,000 epochs in batches of 16 crops of 360 {TIMES} 480 pixels" in done
    assert "with seed 7" in done
    assert "on the 2 frames of split test" in done
    # IoU of road 60 / 80, of sky 20 / 40
    assert found.startswith(
        "The result is **62.50 % mIoU** and 80.00 % pixel accuracy. Against the s"
    )
    text = readme(results(variant="_adam"), ())
    command = text.split("```sh\n")[-1].split("\n```")[0].split(" \\\n  ")
    assert command[:3] == ["dvc exp run", "-S dataset=camvid", "-S variant=_adam"]
    assert {"-S model.attention=pooled", "-S seed=7"} < set(command)
    assert "-S 'ablation.seeds=[" in text
    assert 'eacnet.results("reports/camvid_adam")' in text


def test_a_score_on_training_data_is_called_so(results):
    found = results()
    warning = "has seen these frames in training"
    assert warning not in readme(found, ())
    training = {**found.training, "trained_on": ["train", "test"]}
    assert warning in readme(results(main__training=training), ())
    caption = DRAWN[0].caption
    assert "Split val is part of the training data" in caption(found)
    assert "is part of" not in caption(results(validated_on="test"))


def test_a_network_that_was_not_trained_here(results):
    training = results().training
    training |= {"trained_on": [], "init": {"path": "dab.safetensors", "sha256": "ef" * 32}}
    said = summary(results(main__training=training))[0]
    assert "as it is from dab.safetensors (SHA-256 efefefefefef), not trained here" in said


def test_a_gain_over_seeds_in_words(results, ablation):
    text = " ".join(summary(results())[-2:])
    assert "Against the same backbone without it, calibration pooled changes mIoU by" in text
    assert f"mIoU by +1.25 ± 0.10 ({MINUS}0.50 to +3.00); significant: mIoU." in text
    assert "over 2 seeds, in brackets 95 % intervals over seeds and images together;" in text
    assert text.endswith("2 seeds are a rough guide.)")
    one = ablation["groups"][1]
    one["seeds"] = [1, 2, 3, 4, 5]
    one["gains"]["none"]["miou"]["significant"] = False
    text = " ".join(summary(results())[-2:])
    assert "significant: none." in text
    assert "rough" not in text


def claimed(results, ablation, over_none, over_point):
    """Return what is said where both gains in mIoU and near edges are as given."""
    entry = difference(0.5, [0.1, 0.9], 0.2, [0.2, 0.8]) | {"joint": [0.05, 1.0]}
    entry |= {"detectable": 0.4, "holm": 0.01}
    ablation["groups"][1]["gains"] = {
        name: {"miou": entry | gain, "boundary_f1": entry}
        for name, gain in (("none", over_none), ("point", over_point))
    }
    return summary(results())[-3:]


def test_joint_intervals_and_the_control_in_words(results, ablation):
    control = {"mean": 0.1, "joint": [-0.5, 0.7], "significant": False}
    conclusion, gains, certainty = claimed(results, ablation, {}, control)
    assert (
        "changes mIoU by +0.50 ± 0.20 (+0.05 to +1.00), boundary F1"
        " by +0.50 ± 0.20 (+0.05 to +1.00); significant: mIoU, boundary F1. Against a 1x1"
        " convolution of the scores in its place, mIoU by +0.10 ± 0.20"
        f" ({MINUS}0.50 to +0.70), boundary F1"
    ) in gains
    assert gains.endswith("; significant: boundary F1.")
    least = "A gain in mIoU of 0.40 against the same backbone without it and of 0.40 against"
    assert least in certainty
    assert "more than re-weighting the classes does is not shown" in conclusion


@pytest.mark.parametrize(
    ("over_none", "over_point", "said"),
    [
        ({}, {}, "Attention adds to the scores, and more than re-weighting the classes does."),
        ({"significant": False}, {}, "adds anything to the scores is not shown."),
        ({"mean": -0.5}, {}, "Attention makes the scores worse."),
        ({}, {"significant": False}, "more than re-weighting the classes does is not shown."),
        ({}, {"mean": -0.5}, "but less than re-weighting the classes does."),
    ],
)
def test_what_both_gains_tell_together(results, ablation, over_none, over_point, said):
    assert claimed(results, ablation, over_none, over_point)[0].endswith(said)


def test_a_network_that_went_on_from_another(results):
    training = results().training | {"init": {"path": "long.safetensors", "sha256": "ef" * 32}}
    said = summary(results(main__training=training))[0]
    assert "was trained on from long.safetensors (SHA-256 efefefefefef) on 4 frames" in said
    training["recipe"] = training["recipe"] | {"trains": "calibration"}
    said = summary(results(main__training=training))[0]
    assert "adds to long.safetensors (SHA-256 efefefefefef) a calibration, which alone was" in said


@pytest.mark.parametrize("significant", [True, False, None])
def test_a_gain_from_one_training_gives_no_verdict(results, ablation, significant):
    group = ablation["groups"][1]
    group |= {"seeds": [1]}
    group["gains"]["none"]["miou"] |= {"seeds": None, "std": None, "significant": significant}
    text = " ".join(summary(results())[-2:])
    assert "One training of each gives no verdict" in text
    assert "do not tell how much of a difference is chance" in text
    assert "±" not in text
    assert "ignificant" not in text


def test_a_dataset_that_nobody_described_has_its_report(results):
    found = results(data={**DATA, "dataset": "mine"})
    assert readme(found, ()).startswith("# EACNet on mine: ")
    assert "no published" not in readme(found, ())


def test_the_other_calibrations_are_held_against_the_control(results, ablation):
    entry = difference(0.9, [0.5, 1.3], 0.2, [0.2, 0.8])
    entry |= {"joint": [0.25, 1.5], "detectable": 0.4, "holm": 0.01, "significant": True}
    group = {**ablation["groups"][1], "calibration": "edge", "gains": {"point": {"miou": entry}}}
    assert "Of the other" not in " ".join(summary(results()))
    ablation["groups"].append(group)
    said = summary(results())[-1]
    assert said == (
        "Of the other calibrations, against a 1x1 convolution of the scores in its place, edge by"
        " +0.90 ± 0.20 (+0.25 to +1.50; significant) in mIoU."
    )
    entry |= {"seeds": None, "joint": None}
    assert "Of the other" not in " ".join(summary(results()))


def test_a_conclusion_names_what_is_no_attention():
    gains = {
        name: {"seeds": [0, 1], "significant": True, "mean": 1.0} for name in ("none", "point")
    }
    assert _conclusion(gains, "edge").startswith("Calibration edge adds to the scores, and more")
    gains["none"]["significant"] = False
    assert _conclusion(gains, "edge").startswith("That calibration edge adds anything")
