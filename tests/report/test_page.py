import re
from dataclasses import replace

import pytest

from eacnet.report.pages.accuracy import accuracy, edges
from eacnet.report.pages.page import page

DASH, MINUS, TIMES = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
NAMES = ("training", "examples", "confusion")
LINKS = [
    "checklist.md",
    "figures/confusion.png",
    "figures/confusion.svg",
    "figures/examples.png",
    "figures/training.png",
    "figures/training.svg",
    "index.html",
    "tables/ablation.tex",
]


def table(text, heading):
    """Return the rows of the table whose heading row starts so, as lists of cells."""
    lines = text[text.index(f"| {heading} |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_page_is_well_formed(results, calibrated):
    text = page(results(calibrated, figures=NAMES))
    assert sorted(re.findall(r"\]\(([^)]*)\)", text)) == LINKS
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        columns = {len(line.split(" | ")) for line in block.splitlines()}
        assert len(columns) == 1, block
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    looks = ["What calibration looks at"] if calibrated else []
    assert headings == [
        "Accuracy",
        "Edges",
        *looks,
        "Ablation: with and without calibration",
        "Speed",
        "Training",
        "Confusion",
        "Examples",
        "Where this comes from",
    ]
    # A heading or table right behind a paragraph would become part of it.
    assert not re.search(r"[^\n]\n#|[^\n|]\n\|", text)
    assert ("coarse" in text.lower()) == calibrated
    assert "None" not in text
    assert "nan" not in text


def test_the_introduction_says_what_was_done(results):
    title, _, done, _, found, *_ = page(results()).splitlines()
    assert title == "# EACNet on CamVid: backbone dab, calibration pooled"
    assert "trained on 4 frames of CamVid (splits train and val; 11 classes)" in done
    assert f"for 1,000 epochs in batches of 16 crops of 360 {TIMES} 480 pixels" in done
    assert "with seed 7" in done
    assert "on the 2 frames of split test" in done
    # IoU of road 60 / 80, of sky 20 / 40
    assert found.startswith("The result is **62.50 % mIoU** and 80.00 % pixel accuracy. In the abl")


def test_a_score_on_training_data_is_called_so(results):
    shown = results(figures=NAMES)
    warning = "has seen these frames in training"
    assert warning not in page(shown)
    assert warning in page(replace(shown, split="train"))
    warning = "is part of the training data"
    assert f"Split val {warning}" in page(shown)
    assert warning not in page(replace(shown, validated_on="test"))


def test_accuracy_by_hand(evaluation):
    text = accuracy(evaluation(True))
    # before: road 50 / 80, sky 20 / 50
    assert table(text, "score")[2:] == [
        ["mIoU", "51.25", "**62.50**", "+11.25"],
        ["pixel accuracy", "70.00", "**80.00**", "+10.00"],
        ["mean class accuracy", "81.25", "**87.50**", "+6.25"],
    ]
    assert table(text, "class") == [
        ["class", "share of pixels", "IoU coarse", "IoU calibrated", "difference", "boundary F1"],
        ["---", "---:", "---:", "---:", "---:", "---:"],
        ["road", "80.00", "62.50", "**75.00**", "+12.50", "60.00"],
        ["sky", "20.00", "40.00", "**50.00**", "+10.00", DASH],
        ["train", "0.00", DASH, DASH, DASH, DASH],
    ]
    assert table(text, "category")[2:] == [
        ["flat", "75.00"],
        ["sky", "50.00"],
        ["vehicle", DASH],
        ["mean", "62.50"],
    ]


def test_accuracy_without_calibration_or_categories(evaluation):
    plain = {**evaluation(False), "category_iou": None, "category_miou": None}
    text = accuracy(plain)
    assert table(text, "score")[0] == ["score", "value"]
    assert table(text, "class")[2] == ["road", "80.00", "75.00", "60.00"]
    assert "category" not in text


def test_edges_by_hand(evaluation):
    text = edges(evaluation(True))
    assert [row[0] for row in table(text, "band")[2:]] == [
        "within 3 px",
        "within 5 px",
        "within 9 px",
        "whole image",
    ]
    assert table(text, "band")[3][1:] == ["50.00", "51.25", "**62.50**", "+11.25"]
    assert "): 60.00 %." in text
    assert table(text, "region")[2:] == [
        ["within 5 px", "60", "25.00", "16.67", "0.00", "+16.67"],
        ["elsewhere", "40", "12.50", "0.00", "0.00", "0.00"],
    ]
    assert "changes, 75.00 % lie within 5 pixels of an edge, where 60.00 % of all" in text
    assert "region" not in edges(evaluation(False))


def test_a_split_without_edges_has_no_band_figures(evaluation):
    blank = evaluation(True)
    nothing = {"miou": None, "pixel_accuracy": None, "class_iou": {}, "pixels": 0}
    blank["bands"] = blank["coarse"]["bands"] = {"5": nothing}
    region = {"pixels": 0, "changed": None, "corrected": None, "broken": None}
    blank["effect"] = {
        "in_band": region,
        "outside": {**region, "pixels": 9, "changed": 0.0, "corrected": 0.0, "broken": 0.0},
    }
    text = edges({**blank, "boundary_f1": None})
    assert table(text, "band")[2] == ["within 5 px", "0.00", DASH, DASH, DASH]
    assert table(text, "region")[2] == ["within 5 px", "0", DASH, DASH, DASH, DASH]
    assert "Of all pixels that it changes" not in text


def test_the_origin_of_training_and_evaluation(results):
    shown = results()
    shown.training["code"] = {"commit": None, "modified": None}
    shown.evaluation["provenance"]["code"] = {
        "commit": "fedcba9876543210",
        "modified": ["a.py", "b.py", "c.py", "d.py"],
    }
    text = page(replace(shown, variant="_adam"))
    rows = {row[0]: row[1:] for row in table(text, " | training | evaluation")}
    assert rows["commit"] == [DASH, "fedcba987654"]
    assert rows["modified files"] == [DASH, "a.py, b.py, c.py and 1 more"]
    assert rows["processes"] == ["2", DASH]
    assert rows["torch"] == ["2.15.0", "2.15.0"]
    assert "Modified files differ" in text
    assert "Modified files differ" not in page(results())
    recipe = dict(table(text, "parameter")[2:])
    assert recipe["loss.keep"] == "0.0625"
    assert recipe["seed"] == "7"
    assert "\ndvc exp run -S dataset=camvid -S variant=_adam\n" in text
