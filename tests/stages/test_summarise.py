"""The summary takes exactly the cells of params.yaml, and refuses one that is missing or stale."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from eacnet.config.params import load_params
from eacnet.data.store import open_store
from eacnet.errors import InputError
from eacnet.evaluation.counts import Counts
from eacnet.files import checksum, write_json
from eacnet.layout import ABLATION

PROJECT = Path(__file__).parents[2]
CLASSES = [{"name": name, "category": "", "color": [0, 0, 0]} for name in ("road", "sky")]
CELLS = Path("reports/camvid/cells")
ERFNET = CELLS / "erfnet-none-2"


def change(path: Path, *keys: str, value: object) -> None:
    data = json.loads(path.read_text())
    node = data
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value
    path.write_text(json.dumps(data))


def configure(**ablation) -> None:
    yaml = YAML()
    params = yaml.load(Path("params.yaml"))
    params["ablation"] |= ablation
    yaml.dump(params, Path("params.yaml"))


@pytest.fixture
def summarise(tmp_path, monkeypatch):
    """A project with the results of all its cells, made up; return what runs the stage there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(PROJECT)
    (tmp_path / "params.yaml").write_text(
        (PROJECT / "params.yaml").read_text().replace("dataset: synthetic ", "dataset: camvid ")
    )
    configure(
        backbones=["dab"], calibrations=["none", "pooled"], baselines=["erfnet"], seeds=[1, 2]
    )
    store = Path("data/prepared/camvid")
    split = {"frames": 3, "sha256": "ab", "ids": ["a", "b", "c"]}
    splits = dict.fromkeys(("train", "val", "test"), split)
    described = {"classes": CLASSES, "mean": [0.0] * 3, "frequencies": [1.0] * len(CLASSES)}
    write_json(store / "dataset.json", {"size": [64, 96], **described, "splits": splits})
    params, data = load_params(), open_store(store).checksum
    random = np.random.default_rng(0)
    for backbone, calibration, seed in params.ablation.cells:
        name = f"{backbone}-{calibration}-{seed}"
        weights = Path(f"models/camvid/{name}.safetensors")
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_text(name)
        training = {"backbone": backbone, "calibration": calibration, "seed": seed}
        training |= {"recipe": params.recipe.model_dump(), "data": data}
        write_json(CELLS / name / "training.json", {**training, "trained_on": ["train", "val"]})
        source = {"split": "test", "data": data, "weights": checksum(weights)}
        write_json(CELLS / name / "evaluation.json", {"provenance": source})
        confusion = random.integers(1, 99, (3, 2, 2))
        counts = Counts(confusion, np.stack([confusion // 2] * 3, 1), np.ones((3, 2, 4), int))
        counts.save(CELLS / name / "counts.json")

    def run() -> dict:
        importlib.import_module("stages.summarise").main()
        return json.loads(Path("reports/camvid/ablation.json").read_text())

    return run


def test_every_network_has_its_entry(summarise):
    summary = summarise()
    assert (summary["split"], summary["frames"]) == ("test", 3)
    assert summary["bootstrap"]["resamples"] == 10_000
    groups = {(group["backbone"], group["calibration"]): group for group in summary["groups"]}
    assert list(groups) == [("dab", "none"), ("dab", "pooled"), ("erfnet", "none")]
    pooled = groups["dab", "pooled"]
    assert pooled["seeds"] == [1, 2]
    assert {"mean", "std", "images", "seeds", "joint", "p"} <= set(pooled["gains"]["none"]["miou"])
    assert set(pooled["gains"]["none"]["class_iou"]) == {"road", "sky"}
    assert set(pooled["bands"]) == {"3", "5", "9", "outside"}
    # 8x12 queries, 4x6 keys, two classes
    cost = {"height": 64, "width": 96, "attention": 2 * 96 * 24 * 2}
    assert cost.items() <= pooled["macs"].items()
    assert groups["erfnet", "none"]["gains"] == {}
    metrics = json.loads(Path("reports/camvid/metrics.json").read_text())["ablation"]
    assert set(metrics["dab"]) == {"none", "pooled", "gain_pooled"}
    assert len(metrics["erfnet"]) == 1


def test_a_cell_that_is_no_longer_asked_for_is_left_out(summarise):
    configure(seeds=[2], baselines=[])
    assert {(g["backbone"], *g["seeds"]) for g in summarise()["groups"]} == {("dab", 2)}
    metrics = json.loads(Path("reports/camvid/metrics.json").read_text())["ablation"]
    assert set(metrics) == {"dab"}


def test_a_recipe_from_before_a_parameter_came_has_its_default(summarise):
    path = CELLS / "dab-none-1/training.json"
    training = json.loads(path.read_text())
    del training["recipe"]["init"]
    path.write_text(json.dumps(training))
    summarise()


@pytest.mark.parametrize("name", ["training.json", "evaluation.json", "counts.json"])
def test_a_missing_cell_is_an_error(summarise, name):
    (ERFNET / name).unlink()
    with pytest.raises(InputError, match=rf"erfnet-none-2/{name} is missing; `dvc repro`"):
        summarise()
    assert not Path("reports/camvid/ablation.json").exists()


@pytest.mark.parametrize(
    ("file", "keys", "value", "reason"),
    [
        ("training", ["recipe", "epochs"], 7, "was trained with another recipe"),
        ("training", ["recipe", "speed"], 7, "was trained with another recipe"),
        ("training", ["data"], "cd", "was trained on other data"),
        ("training", ["trained_on"], ["train"], "was trained on other splits"),
        ("training", ["seed"], 3, "is of another network"),
        ("training", ["pretrained"], ["stem"], "started from other weights"),
        ("evaluation", ["provenance", "split"], "val", "was scored on another split"),
        ("evaluation", ["provenance", "data"], "cd", "was scored on other data"),
        ("evaluation", ["provenance", "weights"], "cd", "was scored with other weights"),
    ],
)
def test_a_stale_cell_is_an_error(summarise, file, keys, value, reason):
    change(ERFNET / f"{file}.json", *keys, value=value)
    with pytest.raises(InputError) as caught:
        summarise()
    message = str(caught.value)
    assert "\n" not in message
    assert f"{ERFNET} is stale: it {reason} than there" in message
    assert f"`dvc repro {ABLATION}:baseline@camvid-erfnet-none-2`" in message


def test_weights_that_changed_after_scoring_make_a_cell_stale(summarise):
    Path("models/camvid/dab-pooled-1.safetensors").write_text("others")
    made_by = f"`dvc repro {ABLATION}:ablation@camvid-dab-pooled-1`"
    with pytest.raises(InputError, match=f"dab-pooled-1 is stale.*{made_by}"):
        summarise()
