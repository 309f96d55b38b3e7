"""CONTRIBUTING's table is true: one of each kind, by the files it names, runs to a report."""

import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
ROOMS = ("eacnet", "stages", "data")
FILES = ("dvc.yaml", "params.yaml")
SKIPPED = shutil.ignore_patterns("__pycache__", "weights", "raw", "prepared")

BACKBONE = '''
"""Two convolutions."""

from torch import Tensor, nn


class Mine(nn.Module):
    """Steps of 8 pixels at once."""

    stride = 8
    out_channels = 4

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 8, stride=8), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)

    def classifier(self, num_classes: int) -> nn.Module:
        return nn.Conv2d(self.out_channels, num_classes, 1)
'''
ATTENTION = '''

class Coarse(Attention):
    """Every position attends to means over 4x4 scores."""

    step = smallest = 4

    def context(self, scores: Tensor) -> Tensor:
        """Return the means (B,K,h//4,w//4)."""
        return F.avg_pool2d(scores, self.step)
'''
DATASET = '''
"""Sheep from above."""

from eacnet.datasets.labels import Label
from eacnet.datasets.record import Dataset, Reading

DATASET = Dataset(
    title="Sheep from above",
    how_to_get="count them",
    images=r"(?P<split>train|test)/(?P<id>.+)_photo",
    readings={
        "all": Reading(
            "2 classes",
            r"(?P<split>train|test)/(?P<id>.+)_mask",
            (Label(0, 0, "grass", "", (0, 255, 0)), Label(9, 1, "sheep", "", (9, 9, 9))),
        )
    },
)
'''
# Half of a score that is there, so that its every figure is known from that one's.
SCORE = """
    Score(
        "half",
        "half (of pixel accuracy)",
        lambda c, w: pixel_accuracy(total(c.confusion, w)) / 2,
    ),
"""
RUNTIME = '''
"""Runtime `mine`: the network as it is defined."""

import torch


def precisions(device):
    """Return what there is."""
    return ("fp32",)


def open_runtime(model, precision, device, samples):
    """Return the network itself."""
    mean = torch.tensor(model.card.mean, device=device)
    return lambda pixels: model.eval().coarse((pixels - mean).permute(0, 3, 1, 2))
'''
# Kind in CONTRIBUTING's table -> file -> what is written there, behind which line of it.
ADDED = {
    "a backbone": {
        "eacnet/models/backbones/mine.py": ("", BACKBONE),
        "eacnet/config/names.py": ("BACKBONES = {\n", '    "mine": "Mine",\n'),
    },
    "an attention": {
        "eacnet/models/attention.py": ("", ATTENTION),
        "eacnet/config/names.py": ("CALIBRATIONS = {\n", '    "coarse": "Coarse",\n'),
    },
    "a dataset": {
        # With an underscore, as those have that set off a variant.
        "eacnet/datasets/sheep_aerial.py": ("", DATASET),
        "params.yaml": None,
    },
    "a score": {"eacnet/evaluation/scores.py": ("SCORES: tuple[Score, ...] = (\n", SCORE)},
    "a runtime": {"eacnet/inference/runtimes/mine.py": ("", RUNTIME)},
}
# All stages in one process: it is the importing that takes long.
PIPELINE = """
import runpy, sys
for stage, *options in (
    ["prepare"], ["train"], ["evaluate"], ["analyse"],
    *([stage, "--run", f"mine-{how}-1"] for how in ("none", "coarse") for stage in
      ("train", "evaluate")),
    ["summarise"], ["environment"], ["benchmark"], ["report"], ["index"],
):
    sys.argv = [f"stages.{stage}", *options]
    runpy.run_module(f"stages.{stage}", run_name="__main__")
"""
PREDICTS = """
import eacnet, numpy, torch
from eacnet.inference.auto import candidates
image = numpy.random.default_rng(0).integers(256, size=(70, 90, 3), dtype=numpy.uint8)
model = eacnet.load_model("models/sheep_aerial/main.safetensors")
assert eacnet.__file__.startswith(HERE)
mine, eager = (eacnet.Predictor(model, runtime=name, device="cpu") for name in ("mine", "eager"))
assert mine.runtime == "mine" and (mine(image) == eager(image)).mean() > 0.999
assert ("mine", "fp32") in candidates("auto", "fp32", torch.device("cpu"), False)
"""


def documented(kind: str) -> set[str]:
    """The files that CONTRIBUTING's table names for a kind."""
    (row,) = re.findall(
        rf"^\| {kind}[,\s].*$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE
    )
    return set(re.findall(r"`([\w/<>]+\.\w+)`", row))


@pytest.mark.parametrize("kind", ADDED)
def test_the_table_names_every_file_that_is_touched(kind):
    touched = {re.sub(r"(mine|sheep_aerial)\.py", "<name>.py", path) for path in ADDED[kind]}
    assert touched <= documented(kind)


class Copy:
    """A copy of the project with one of each kind added."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ROOMS:
            shutil.copytree(ROOT / name, root / name, ignore=SKIPPED)
        for name in FILES:
            shutil.copy(ROOT / name, root)
        for files in ADDED.values():
            for name, addition in files.items():
                if addition:
                    self._add(root / name, *addition)
        self._set_params()
        self._draw()

    def run(self, *command: str, code: int = 0) -> str:
        env = {**os.environ, "PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"}
        env |= {"EACNET_NATIVE": "0"}  # nothing of it is compiled here
        done = subprocess.run(
            [sys.executable, *command], cwd=self.root, env=env, capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, name: str) -> dict:
        return json.loads((self.reports / name).read_text())

    def rows(self, table: str) -> list[dict[str, str]]:
        with (self.reports / f"tables/{table}.csv").open() as file:
            return list(csv.DictReader(file))

    @property
    def reports(self) -> Path:
        return self.root / "reports/sheep_aerial"

    @staticmethod
    def _add(path: Path, behind: str, text: str) -> None:
        old = path.read_text() if path.exists() else ""
        assert not behind or old.count(behind) == 1
        new = old.replace(behind, behind + text) if behind else old + text
        ast.parse(new)
        path.write_text(new)

    def _set_params(self) -> None:
        yaml, path = YAML(), self.root / "params.yaml"
        params = yaml.load(path)
        params["datasets"]["sheep_aerial"] = {
            "train": ["train"], "validate": None, "evaluate": "test"
        }  # fmt: skip
        recipe = deepcopy(params["recipes"]["synthetic"])
        recipe |= {"epochs": 1, "batch": 2, "crop": [64, 64], "scales": [1.0]}
        params["recipes"]["sheep_aerial"] = recipe
        # What is added is there; from here on it is chosen.
        params["dataset"] = "sheep_aerial"
        params["model"] |= {"backbone": "mine", "attention": "coarse"}
        params["ablation"] |= {
            "backbones": ["mine"], "calibrations": ["none", "coarse"], "seeds": [1]
        }  # fmt: skip
        grid = {"networks": ["mine-coarse"], "forms": ["mine"], "sizes": [[64, 64]]}
        params["benchmarks"]["quick"] |= {"rows": [grid], "modules": [], "warm_up": 0}
        params["benchmarks"]["quick"] |= {"rounds": 2, "least_rounds": 2, "seconds": 0}
        params["report"]["examples"] = 1
        params["hardware"] |= {"accelerator": "cpu", "workers": 0}
        yaml.dump(params, path)

    def _draw(self) -> None:
        random = np.random.default_rng(0)
        for split in ("train", "test"):
            folder = self.root / "data/raw/sheep_aerial" / split
            folder.mkdir(parents=True)
            for name in ("a", "b"):
                mask = np.kron(random.random((4, 4)) < 0.4, np.ones((16, 16), bool))
                photo = random.integers(60, size=(64, 64, 3)) + 150 * mask[..., None]
                Image.fromarray(photo.astype(np.uint8)).save(folder / f"{name}_photo.png")
                Image.fromarray(9 * mask.astype(np.uint8)).save(folder / f"{name}_mask.png")


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Copy:
    """A copy in which the whole pipeline has run."""
    copy = Copy(tmp_path_factory.mktemp("extended").resolve())
    copy.run("-c", PIPELINE)
    return copy


def test_backbone_and_attention_stand_in_the_tables(extended):
    networks = [(row["backbone"], row["calibration"]) for row in extended.rows("ablation")]
    assert networks == [("mine", "none"), ("mine", "coarse")]
    assert any("mine, coarse" in row["method"] for row in extended.rows("comparison"))
    assert any("mine, coarse" in heading for heading in extended.rows("classes")[0])
    assert extended.json("main/attention.json")["calibration"] == "coarse"
    assert (extended.reports / "figures/attention.png").is_file()


def test_a_score_stands_in_every_table_with_its_interval(extended):
    half, whole = "half (of pixel accuracy)", "pixel accuracy"
    metrics, evaluation = (extended.json(f"main/{name}.json") for name in ("metrics", "evaluation"))
    for scores in (metrics, evaluation, evaluation["coarse"]):
        assert scores["half"] == pytest.approx(scores["pixel_accuracy"] / 2, abs=1e-3)
    accuracy = {row["score"]: float(row["calibrated"]) for row in extended.rows("accuracy")}
    assert accuracy[half] == pytest.approx(accuracy[whole] / 2, abs=1e-3)
    for row in extended.rows("ablation"):
        assert float(row[half]) == pytest.approx(float(row[whole]) / 2, abs=1e-3)
    gains = {row["score"]: row for row in extended.rows("differences")}
    for heading in ("difference", "difference low", "difference high"):
        known = float(gains[whole][heading]) / 2
        assert float(gains[half][heading]) == pytest.approx(known, abs=1e-3)
    heading, _, *networks = (
        [cell.strip() for cell in line.split("|")]
        for line in (extended.reports / "tables/ablation.md").read_text().splitlines()
        if line.startswith("|")
    )
    ours, theirs = heading.index(half), heading.index(whole)
    assert [row[ours].startswith("**") for row in networks] == [
        row[theirs].startswith("**") for row in networks
    ]
    assert any(row[ours].startswith("**") for row in networks)


def test_a_dataset_is_called_by_its_title(extended):
    for name in ("README.md", "checklist.md", "index.html"):
        assert "Sheep from above" in (extended.reports / name).read_text(), name
    overview = (extended.reports.parent / "README.md").read_text()
    assert "**sheep\\_aerial**: [report](sheep_aerial/README.md)" in overview
    # Without the prepared store, the folder's name alone tells the dataset.
    # DVC has not run here, so nothing holds what it recorded of the files.
    extended.run("-m", "eacnet.cli", "verify", "reports/sheep_aerial", code=3)
    shown = 'from eacnet.report.results import *; print(read_results("reports/sheep_aerial").about)'
    assert "Sheep from above" in extended.run("-c", shown)


def test_a_runtime_predicts_and_is_timed(extended):
    extended.run("-c", f"HERE = {str(extended.root)!r}\n{PREDICTS}")
    assert [row["runtime"] for row in extended.rows("speed")] == ["mine"]
    assert all(float(row["FPS"]) > 0 for row in extended.rows("speed"))


def test_dvc_knows_the_stages(extended):
    extended.run("-m", "dvc", "init", "--no-scm", "--quiet")
    names = extended.run("-m", "dvc", "stage", "list", "--name-only", "--all").split()
    assert {"prepare@sheep_aerial", "train@sheep_aerial"} <= set(names)
    cell = "stages/ablation/dvc.yaml:ablation@sheep_aerial-mine-{}-1"
    assert {cell.format("none"), cell.format("coarse")} <= set(names)
