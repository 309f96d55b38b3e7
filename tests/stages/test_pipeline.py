"""The pipeline as it is typed, on scenes of 64x128: from nothing, again, and as experiments."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
import torch

from eacnet import load_model
from eacnet.evaluation.counts import Counts
from eacnet.evaluation.scores import mean_iou

ENVIRONMENT = "stages/dvc.yaml:environment"
CELLS_LOCK = "stages/ablation/dvc.lock"


def read(project, path):
    return json.loads((project.root / path).read_text())


def test_repro_makes_everything_that_the_readme_promises(reproduced):
    folder = reproduced.root / "reports/synthetic"
    for name in ("README.md", "ablation.json", "metrics.json", "figures/training.png"):
        assert (folder / name).is_file(), name
    for run in ("main", "cells/dab-none-1", "cells/dab-pooled-1"):
        for name in ("training.csv", "training.json", "evaluation.json", "counts.json"):
            assert (folder / run / name).is_file(), (run, name)
    assert list((reproduced.root / "reports/speed").glob("*.json"))
    assert not list((reproduced.root / ".cache/training").rglob("*.pt"))


def test_metrics_follow_from_the_counts(reproduced):
    counts = Counts.load(reproduced.root / "reports/synthetic/main/counts.json")
    metrics = read(reproduced, "reports/synthetic/main/metrics.json")
    assert len(counts) == 2
    assert metrics["miou"] == round(100 * float(mean_iou(counts.confusion.sum(0))), 4)


def test_the_main_run_and_its_cell_are_the_same_network(reproduced):
    """Same seed, same machine: two trainings of one configuration end with the same bits."""
    main = load_model(reproduced.root / "models/synthetic/main.safetensors").state_dict()
    cell = load_model(reproduced.root / "models/synthetic/dab-pooled-1.safetensors").state_dict()
    assert all(torch.equal(main[name], cell[name]) for name in main)


def test_the_gain_is_the_difference_of_the_cells(reproduced):
    summary = read(reproduced, "reports/synthetic/ablation.json")
    scores = {
        name: read(reproduced, f"reports/synthetic/cells/dab-{name}-1/metrics.json")["miou"]
        for name in ("none", "pooled")
    }
    groups = {group["calibration"]: group for group in summary["groups"]}
    assert np.isclose(
        groups["pooled"]["gains"]["none"]["miou"]["mean"], scores["pooled"] - scores["none"]
    )
    assert groups["none"]["gains"] == {}


def test_results_say_where_they_come_from(reproduced):
    training = read(reproduced, "reports/synthetic/main/training.json")
    evaluation = read(reproduced, "reports/synthetic/main/evaluation.json")
    assert re.fullmatch("[0-9a-f]{40}", training["code"]["commit"])
    assert training["code"]["modified"] == []
    assert training["recipe"]["epochs"] == 2
    assert training["data"] == evaluation["provenance"]["data"]
    with (reproduced.root / "reports/synthetic/main/training.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


def test_nothing_runs_again_where_nothing_changed(reproduced):
    out = reproduced.run("dvc", "repro").stdout
    assert re.findall("Running stage '(.*)'", out) == [ENVIRONMENT]
    assert list(json.loads(reproduced.run("dvc", "status", "--json").stdout)) == [ENVIRONMENT]
    assert reproduced.run("git", "status", "--porcelain").stdout == ""


def test_what_is_pushed_to_s3_is_not_trained_again_in_another_clone(reproduced, s3, tmp_path):
    clone = reproduced.clone(tmp_path / "clone")
    for project in (reproduced, clone):
        project.run("dvc", "remote", "add", "--local", "-f", "-d", "store", "s3://bucket/eacnet")
        project.run("dvc", "remote", "modify", "--local", "store", "endpointurl", s3)
    reproduced.run("dvc", "push")
    clone.run("dvc", "pull")
    out = clone.run("dvc", "repro").stdout
    # Raw data are drawn again where they are missing; all else is there.
    ran = re.findall("Running stage '(.*)'", out)
    assert sorted(ran) == ["raw@synthetic", ENVIRONMENT]
    assert clone.run("git", "status", "--porcelain").stdout == ""
    assert not (clone.root / ".cache").exists()
    status = json.loads(clone.run("dvc", "status", "--json").stdout)
    assert list(status) == [ENVIRONMENT]
    verified = clone.run("python", "-m", "eacnet.cli", "verify").stdout
    assert re.search(r"\b(\d+) of \1 figures reproduced", verified)


@pytest.fixture
def experiments(reproduced):
    """The reproduced project, which is put back as it was when experiments have run in it."""
    yield reproduced
    shutil.rmtree(reproduced.root / "reports/synthetic_other", ignore_errors=True)
    reproduced.run("git", "checkout", "--quiet", "--force", "HEAD")
    reproduced.run("dvc", "checkout", "--quiet", "--force")


def test_another_experiment_and_back_reruns_nothing(experiments):
    experiments.run("dvc", "exp", "run", "-S", "seed=7", "train")
    experiments.run("dvc", "exp", "run", "-S", "seed=8", "train")
    out = experiments.run("dvc", "exp", "run", "-S", "seed=7", "train").stdout
    assert "Running stage" not in out.replace(f"Running stage '{ENVIRONMENT}'", "")
    recipe = experiments.params["recipes"]["synthetic"]
    recipe = {name: value for name, value in recipe.items() if value is not None}
    settings = ("-S", "variant=_other", "-S", f"+recipes.synthetic_other={recipe}".replace("'", ""))
    experiments.run("dvc", "exp", "run", "-S", "seed=1", *settings)
    assert (experiments.root / "reports/synthetic_other/README.md").is_file()
    out = experiments.run("dvc", "exp", "run", "-S", "seed=1", "-S", "variant=''").stdout
    assert set(re.findall("Running stage '(.*)'", out)) <= {ENVIRONMENT, "report@synthetic"}
    for file, stage in (("dvc.lock", "train@{}:"), (CELLS_LOCK, "ablation@{}-dab-none-1:")):
        lock = (experiments.root / file).read_text()
        for experiment in ("synthetic", "synthetic_other"):
            assert stage.format(experiment) in lock


def test_an_experiment_without_calibration_is_compared_with_the_last_commit(experiments):
    experiments.run("dvc", "exp", "run", "-S", "model.calib=false")
    metrics = read(experiments, "reports/synthetic/main/metrics.json")
    plain = read(experiments, "reports/synthetic/cells/dab-none-1/metrics.json")
    assert metrics == plain
    diff = experiments.run("dvc", "metrics", "diff").stdout
    assert "reports/synthetic/main/metrics.json" in diff
    assert "miou" in diff
    assert "val_miou" in experiments.run("dvc", "plots", "diff", "--json").stdout
    assert "model.calib" in experiments.run("dvc", "exp", "show", "--csv").stdout
