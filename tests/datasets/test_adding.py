"""A dataset that is added as CONTRIBUTING says: a file here, an entry under `datasets`."""

import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from eacnet.config.names import DATASETS, dataset_of
from eacnet.datasets import find
from eacnet.errors import InputError

ROOT = Path(__file__).parents[2]
SKIPPED = shutil.ignore_patterns("__pycache__", "weights")

MINE = '''
"""Sheep from above."""

from typing import Annotated

from pydantic import Field

from eacnet.config.dataset import DatasetParams
from eacnet.datasets.labels import Label
from eacnet.datasets.record import Dataset, Reading


class Params(DatasetParams):
    """Also how high it was flown."""

    altitude: Annotated[int, Field(gt=0)]


DATASET = Dataset(
    title="Sheep",
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


def test_a_file_and_an_entry_are_all_that_it_takes(tmp_path):
    for name in ("eacnet", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=SKIPPED)
    (tmp_path / "eacnet/datasets/sheep.py").write_text(MINE)
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    params["dataset"] = "sheep"
    params["datasets"]["sheep"] = {
        "train": ["train"],
        "validate": None,
        "evaluate": "test",
        "altitude": 0,
    }
    params["recipes"]["sheep"] = deepcopy(params["recipes"]["synthetic"])
    raw = tmp_path / "data/raw/sheep"
    for split in ("train", "test"):
        (raw / split).mkdir(parents=True)
        pixels = np.full((8, 8, 3), len(split), np.uint8)
        Image.fromarray(pixels).save(raw / split / "a_photo.JPG")
        Image.fromarray(pixels[..., 0] // 8 * 9).save(raw / split / "a_mask.png")

    def prepare():
        yaml.dump(params, tmp_path / "params.yaml")
        command = [sys.executable, "-m", "stages.prepare"]
        env = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)

    refused = prepare()
    assert refused.returncode == 1
    assert "datasets.sheep.altitude is 0; allowed: greater than 0" in refused.stderr
    params["datasets"]["sheep"]["altitude"] = 30
    done = prepare()
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data/prepared/sheep/dataset.json").is_file()
    del params["datasets"]["sheep"]
    assert "dataset is 'sheep', but datasets has no such entry" in prepare().stderr


@pytest.mark.parametrize(
    ("experiment", "dataset"),
    [("camvid", "camvid"), ("camvid_cpu_long", "camvid"), ("camvid720_x", "camvid720"),
     ("sheep_aerial", "sheep_aerial"), ("sheep_aerial_x", "sheep_aerial"), ("goats_x", "goats")],
)  # fmt: skip
def test_an_experiment_tells_its_dataset(monkeypatch, experiment, dataset):
    monkeypatch.setattr("eacnet.config.names.DATASETS", (*DATASETS, "sheep_aerial"))
    assert dataset_of(experiment) == dataset


@pytest.mark.parametrize("name", DATASETS)
def test_a_record_names_what_there_is(name):
    recipes = YAML(typ="safe").load(ROOT / "params.yaml")["recipes"]
    record = find(name)
    assert {name + variant for variant in record.recipes} <= set(recipes)
    assert record.like is None or record.like in DATASETS
    assert all((ROOT / path).exists() for path in record.links.values())


@pytest.mark.parametrize("name", ["labels", "cityscape", "../synthetic", ""])
def test_an_unknown_dataset_names_the_known_ones(name):
    with pytest.raises(InputError, match=r"there is no dataset .*; known: .*cityscapes"):
        find(name)
