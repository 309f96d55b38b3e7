import importlib
import itertools
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from ruamel.yaml import YAML

from eacnet.data.store import open_store
from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.labels import trained
from eacnet.errors import InputError
from eacnet.evaluation.evaluate import evaluate
from eacnet.evaluation.results import details
from eacnet.models import build_model, save_model

PROJECT = Path(__file__).parents[2]
MEAN = [100.0, 100.0, 100.0]


def write_json(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


@pytest.fixture
def stage(tmp_path, monkeypatch, results):
    """Return a function that makes a project of 5 tiny frames and a fresh network; run it there."""

    def make(calibration):
        yaml = YAML()
        params = yaml.load(PROJECT / "params.yaml")
        params["dataset"] = "camvid"
        params["report"]["examples"] = 3
        params["ablation"] = {
            "baselines": [],
            "backbones": ["dab"],
            "calibrations": ["none", "pooled"],
            "seeds": [1, 2],
        }
        params["hardware"]["accelerator"] = "cpu"
        yaml.dump(params, tmp_path / "params.yaml")

        classes = [
            {"name": label.name, "category": "", "color": label.color} for label in trained(CAMVID)
        ]
        random = np.random.default_rng(0)
        store = tmp_path / "data/prepared/camvid"
        images = random.integers(256, size=(5, 24, 32, 3), dtype=np.uint8)
        labels = random.integers(11, size=(5, 3, 4), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
        (store / "test").mkdir(parents=True)
        np.save(store / "test/images.npy", images)
        np.save(store / "test/labels.npy", labels)
        frames = {"frames": 5, "sha256": "ab", "ids": list("abcde")}
        info = {"dataset": "camvid", "protocol": "tiny", "size": [24, 32], "classes": classes}
        splits = {"train": frames, "val": frames, "test": frames}
        write_json(store / "dataset.json", {**info, "mean": MEAN, "splits": splits})
        checksum = open_store(store).checksum

        torch.manual_seed(0)
        model = build_model("dab", 11, calibration)
        weights = tmp_path / "models/camvid/main.safetensors"
        save_model(model, weights, classes=classes, mean=MEAN, std=[1.0] * 3)
        counts = evaluate(
            model, images, labels, num_classes=11, mean=MEAN, device="cpu", progress=False
        )
        example = results(calibrated=calibration != "none")
        source = {**example.evaluation["provenance"], "data": checksum}
        reports = tmp_path / "reports"
        counts.save(reports / "camvid/main/counts.json")
        scores = {**details(counts, classes), "provenance": source}
        write_json(reports / "camvid/main/evaluation.json", scores)
        write_json(reports / "camvid/main/training.json", example.training)
        write_json(reports / "camvid/main/attention.json", example.attention)
        write_json(reports / "camvid/ablation.json", example.ablation)
        for index, machine in enumerate(example.speed):
            write_json(reports / f"speed/{index}.json", machine)
        for seed, kind in itertools.product((1, 2), ("none", "pooled")):
            cell = reports / f"camvid/cells/dab-{kind}-{seed}"
            write_json(cell / "evaluation.json", scores)
            write_json(cell / "training.json", example.training)
        shutil.copy(PROJECT / "data/published.csv", tmp_path / "data")
        for run in (reports / "camvid/main", *(reports / "camvid/cells").iterdir()):
            curve = "epoch,loss,lr,val_miou\n1,2.5,0.001,\n2,1.5,0.0005,40.5\n"
            (run / "training.csv").write_text(curve)

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(PROJECT)
    return make, importlib.import_module("stages.report").main


@pytest.mark.parametrize("calibration", ["pooled", "none"])
def test_the_report_of_a_tiny_experiment(stage, calibration):
    make, main = stage
    make(calibration)
    folder = Path("reports/camvid")
    (folder / "figures").mkdir()
    (folder / "figures/old.png").touch()
    main()
    page = (folder / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)]*)\)", page))
    files = {path for path in folder.rglob("*") if path.is_file()}
    files = {path for path in files if not {"main", "cells"} & set(path.parts)}
    expected = {folder / link for link in links} | {folder / "README.md", folder / "ablation.json"}
    expected |= {folder / "index.html", folder / "checklist.md", folder / "tables/confusion.csv"}
    names = ("comparison", "ablation", "differences", "wins", "classes", "bands", "speed")
    expected |= {
        folder / f"tables/{name}.{kind}" for name in names for kind in ("md", "tex", "csv")
    }
    assert files == expected
    size = Image.open(folder / "figures/examples.png").size
    columns = 5 if calibration == "pooled" else 4
    assert size[0] == 24 + columns * 360 - 8
    assert re.findall("^### (.*)", page, re.MULTILINE)[-2:] == ["GPU A", "CPU B"]

    content = {path: path.read_bytes() for path in files}
    main()
    assert content == {path: path.read_bytes() for path in files}


def test_scores_of_other_data_are_refused(stage):
    make, main = stage
    make("none")
    info = Path("data/prepared/camvid/dataset.json")
    info.write_text(info.read_text().replace('"sha256": "ab"', '"sha256": "cd"'))
    with pytest.raises(InputError, match="scored on other data"):
        main()
    assert not Path("reports/camvid/README.md").exists()
