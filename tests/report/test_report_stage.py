import importlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from experiment import write_json
from PIL import Image
from ruamel.yaml import YAML

from eacnet.data.store import open_store
from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.labels import trained
from eacnet.errors import InputError
from eacnet.evaluation.evaluate import evaluate
from eacnet.evaluation.results import details
from eacnet.models import build_model, save_model
from eacnet.report.results import read_results
from eacnet.report.tables import shown

PROJECT = Path(__file__).parents[2]
MEAN = [100.0, 100.0, 100.0]


@pytest.fixture
def stage(tmp_path, monkeypatch, results):
    """Return a function that makes a project of 5 tiny frames and a fresh network; run it there."""

    def make(calibration, sizes=()):
        yaml = YAML()
        params = yaml.load(PROJECT / "params.yaml")
        params["dataset"] = "camvid"
        params["report"]["examples"] = 3
        params["model"]["calib"] = calibration != "none"
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
        if sizes:
            images = [
                image[:height, :width] for image, (height, width) in zip(images, sizes, strict=True)
            ]
            labels = [
                each[:height, :width] for each, (height, width) in zip(labels, sizes, strict=True)
            ]
            np.save(store / "test/images.npy", np.concatenate([i.reshape(-1, 3) for i in images]))
            np.save(store / "test/labels.npy", np.concatenate([each.ravel() for each in labels]))
            np.save(store / "test/sizes.npy", np.array(sizes))
        else:
            np.save(store / "test/images.npy", images)
            np.save(store / "test/labels.npy", labels)
        frames = {"frames": 5, "sha256": "ab", "ids": list("abcde")}
        info = {"dataset": "camvid", "protocol": "tiny", "size": [24, 32], "classes": classes}
        if sizes:
            smallest, largest = min(sizes), max(sizes)
            kinds = {"different": len(set(sizes)), "smallest": smallest, "largest": largest}
            others = {"different": 9, "smallest": (1, 1), "largest": (99, 99)}  # of all splits
            info |= {"size": None, "sizes": {**others, "most_common": sizes[0]}}
            own = {"size": None, "sizes": {**kinds, "most_common": sizes[0]}}
        else:
            own = {}
        splits = {"train": frames, "val": frames, "test": frames | own}
        write_json(
            store / "dataset.json",
            {**info, "mean": MEAN, "frequencies": [1.0] * len(classes), "splits": splits},
        )
        data = open_store(store)
        split = data.split("test")

        torch.manual_seed(0)
        model = build_model("dab", 11, calibration)
        weights = tmp_path / "models/camvid/main.safetensors"
        save_model(model, weights, classes=classes, mean=MEAN, std=[1.0] * 3)
        how = {"num_classes": 11, "mean": MEAN, "device": "cpu", "progress": False}
        counts = evaluate(model, split.images, split.labels, **how)
        scores = details(counts, classes)
        scored = results(calibration != "none").evaluation["provenance"] | {"data": data.checksum}
        scores["provenance"] = scored
        results(calibration != "none", main__evaluation=scores)
        counts.save(tmp_path / "reports/camvid/main/counts.json")
        shutil.copy(PROJECT / "data/published.csv", tmp_path / "data")

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(PROJECT)
    return make, importlib.import_module("stages.report").main


@pytest.mark.parametrize("calibration", ["pooled", "none"])
def test_the_report_of_a_tiny_experiment(stage, calibration):
    make, main = stage
    make(calibration)
    folder = Path("reports/camvid")
    (folder / "figures").mkdir()
    (folder / "figures/attention.svg").touch()  # such as one of an earlier version
    main()
    page = (folder / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)]*)\)", page))
    files = {path for path in folder.rglob("*") if path.is_file()}
    files = {path for path in files if not {"main", "cells"} & set(path.parts)}
    expected = {folder / link for link in links} | {folder / "README.md", folder / "ablation.json"}
    expected |= {folder / "index.html", folder / "checklist.md", folder / "tables/confusion.csv"}
    names = [table.name for table in shown(read_results(folder))]
    expected |= {
        folder / f"tables/{name}.{kind}" for name in names for kind in ("md", "tex", "csv")
    }
    assert files == expected
    # Page and README show one list of tables.
    page_html = (folder / "index.html").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)", page, re.MULTILINE)
    for table in shown(read_results(folder)):
        assert table.caption in headings
        assert f'id="table-{table.name}"' in page_html
    size = Image.open(folder / "figures/examples.png").size
    columns = 5 if calibration == "pooled" else 4
    assert size[0] == 24 + columns * 360 - 8

    content = {path: path.read_bytes() for path in files}
    main()
    assert content == {path: path.read_bytes() for path in files}


@pytest.mark.parametrize("calibration", ["pooled", "none"])
def test_the_report_of_frames_of_several_sizes(stage, calibration):
    make, main = stage
    make(calibration, [(24, 32), (16, 32), (24, 12), (24, 32), (17, 31)])
    main()
    folder = Path("reports/camvid")
    sizes = "4 sizes, 16 \xd7 32 to 24 \xd7 32 pixels"
    assert f"frames of split test ({sizes}, one scale" in (folder / "README.md").read_text("utf-8")
    assert f"frames: {sizes}" in (folder / "checklist.md").read_text("utf-8")
    for name in ["examples", *["attention"] * (calibration == "pooled")]:
        assert (folder / f"figures/{name}.png").is_file()


@pytest.mark.parametrize("name", ["figures/mine.png", "figures/a/b.png", "tables/mine.csv"])
def test_what_a_reader_put_into_a_report_is_not_deleted(stage, name):
    make, main = stage
    make("none")
    path = Path("reports/camvid", name)
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(InputError, match=f"holds {name.partition('/')[2]}, .* move it away"):
        main()
    assert path.read_text() == "mine"


def test_scores_of_other_data_are_refused(stage):
    make, main = stage
    make("none")
    info = Path("data/prepared/camvid/dataset.json")
    info.write_text(info.read_text().replace('"sha256": "ab"', '"sha256": "cd"'))
    with pytest.raises(InputError, match="scored on other data"):
        main()
    assert not Path("reports/camvid/README.md").exists()
