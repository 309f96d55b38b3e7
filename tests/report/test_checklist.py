import copy
import hashlib
import re
from pathlib import Path

import pytest
from experiment import DATA

from eacnet.pretrained.shipped import SHIPPED
from eacnet.report.pages import words
from eacnet.report.pages.checklist import checklist
from eacnet.report.pages.readme import readme

TIMES = "\N{MULTIPLICATION SIGN}"
PROJECT = Path(__file__).parents[2]
# Items under each heading of the published sheet, version 2.0.
ITEMS = {
    "Models and algorithms": 3,
    "Theoretical claims": 2,
    "Datasets": 5,
    "Shared code": 5,
    "Reported results": 6,
}


def item(text, number):
    """The paragraph of one item."""
    return re.search(rf"^\*\*{re.escape(number)} .*$", text, re.MULTILINE).group()


def test_every_item_is_answered_in_the_published_order(results):
    text = checklist(results())
    headings = re.findall(r"^## \d\. (.*)$", text, re.MULTILINE)
    assert headings == list(ITEMS)
    answers = re.findall(
        r"^\*\*(\d\.\d) [A-Z].*?\.\*\* (Yes|In part|No|Does not apply): ", text, re.M
    )
    expected = [
        f"{group}.{place + 1}"
        for group, count in enumerate(ITEMS.values(), start=1)
        for place in range(count)
    ]
    assert [number for number, _ in answers] == expected
    found = [answer.lower() for _, answer in answers]
    for number, answer in re.findall(
        r"(\d+) (yes|in part|no|does not apply)[,.]", text.split("##")[0]
    ):
        assert found.count(answer) == int(number)


@pytest.mark.parametrize("dataset", ["synthetic", "camvid", "cityscapes", "folder"])
def test_every_link_leads_to_a_file(results, dataset):
    example = results()
    text = checklist(results(data={**example.data, "dataset": dataset, "classes": DATA["classes"]}))
    report = PROJECT / "reports/synthetic"
    paths = {path for path in re.findall(r"\]\(([^)]*)\)", text) if "://" not in path}
    assert len(paths) > 15
    for path in paths:
        assert (report / path).exists(), path


def test_it_tells_what_the_results_hold(results):
    text = checklist(results())
    assert "backbone dab, calibration pooled" in item(text, "1.1")
    assert "train 2, val 2, test 2" in item(text, "3.1")
    assert "trained on train and val, scored on test, watched on val" in item(text, "3.2")
    assert "which was trained on, too" in item(text, "3.2")
    assert "at commit 0123456789ab" in item(text, "4.2")
    assert "DABNet's published CamVid recipe" in item(text, "5.1")
    assert "1 main network and 6 of the ablation (1 or 2 seeds each)" in item(text, "5.2")
    assert "GPU A, CPU B" in item(text, "5.5")
    assert "trained on GPU (processes: 2, threads: 8), scored on CPU (threads: 2)" in item(
        text, "5.6"
    )


def test_what_is_not_known_is_said(results):
    text = checklist(results(variant="_strong", speed=[]))
    assert "In part: all values are recorded; the recipe is this project's own" in item(text, "5.1")
    assert "how long the trainings took is not recorded" in item(text, "5.5")
    assert "measured on no device" in item(text, "5.5")
    assert "their checksum is not recorded" in item(text, "4.4")
    assert "licence its owners give the frames is not recorded" in item(text, "3.4")


def test_scoring_on_what_was_trained_on_is_no_full_yes(results):
    example = results()
    training = {**example.training, "trained_on": ["train", "test"]}
    text = item(checklist(results(main__training=training)), "3.2")
    assert "In part: " in text
    assert "the scored frames were seen in training" in text


def test_one_seed_is_no_variation_and_several_are(results):
    example = results()
    assert "In part: mean and standard deviation over the seeds; for a network with one seed" in (
        item(checklist(example), "5.4")
    )
    ablation = copy.deepcopy(example.ablation)
    ablation["groups"] = ablation["groups"][:2]
    ablation["bootstrap"] = {"resamples": 10_000, "seed": 1, "level": 0.95}
    text = item(checklist(results(ablation=ablation)), "5.4")
    assert "Yes: mean and standard deviation over the seeds; gains have 95 % intervals" in text
    assert "(10,000 resamples)" in text


def test_costs_and_weights_are_named_where_the_results_hold_them(results):
    example = results()
    ablation = copy.deepcopy(example.ablation)
    for group in ablation["groups"]:
        group["macs"] = {"height": 360, "width": 480, "total": 5, "attention": 1}
    evaluation = copy.deepcopy(example.evaluation)
    evaluation["provenance"]["weights"] = "cd" * 32
    text = checklist(results(ablation=ablation, main__evaluation=evaluation))
    assert f"multiply-accumulates at 360 {TIMES} 480 pixels" in item(text, "1.3")
    assert "SHA-256 cdcdcdcdcdcd" in item(text, "4.4")


def test_weights_that_ship_are_named(results):
    evaluation = copy.deepcopy(results().evaluation)
    evaluation["provenance"]["weights"] = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    text = item(checklist(results(main__evaluation=evaluation)), "4.4")
    assert "ship with the package as camvid_edge.safetensors" in text


@pytest.mark.parametrize(("calibration", "file"), [("edge", "edge"), ("none", "attention")])
def test_the_file_of_the_calibration_is_linked(results, calibration, file):
    training = {**results().training, "calibration": calibration}
    text = item(checklist(results(main__training=training)), "1.1")
    assert f"[calibration](../../eacnet/models/{file}.py)" in text


@pytest.mark.parametrize("held", [True, False, None])
def test_a_commit_that_is_not_here_is_no_code_that_is_there(results, monkeypatch, held):
    monkeypatch.setattr(words, "has_commit", lambda commit: held)
    text = item(checklist(results()), "4.2")
    assert ("which is not in this repository" in text) == (held is False)
    assert ("** In part: " in text) == (held is False)
    page = readme(results(), ())
    assert ("check out the commit and run" in page) == (held is not False)


def test_drawn_scenes_are_new_data(results):
    data = {**results().data, "dataset": "synthetic"}
    text = checklist(results(data=data))
    assert "** Yes: nothing was annotated by hand" in item(text, "3.5")
    assert "** Does not apply: no data were collected" in item(checklist(results()), "3.5")
