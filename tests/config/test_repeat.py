"""The command that repeats an experiment, held against what DVC makes of it."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from eacnet.config.names import dataset_of
from eacnet.config.params import load_params
from eacnet.config.repeat import settings

ROOT = Path(__file__).parents[2]
REPORTS = sorted(path.parent for path in (ROOT / "reports").glob("*/ablation.json"))


def applied(folder: Path, chosen: list[str]):
    """What params.yaml says once DVC has written the settings into it."""
    path = shutil.copy(ROOT / "params.yaml", folder / "params.yaml")
    apply_overrides(path, shlex.split(" ".join(chosen)))
    return load_params(Path(path))


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.name)
def test_a_committed_experiment_is_selected_with_its_networks(report, tmp_path):
    main = json.loads((report / "main/training.json").read_text())
    groups = json.loads((report / "ablation.json").read_text())["groups"]
    cells = [
        (group["backbone"], group["calibration"], seed)
        for group in groups
        for seed in group["seeds"]
    ]
    dataset = dataset_of(report.name)
    variant = report.name.removeprefix(dataset)
    params = applied(tmp_path, settings(dataset, variant, main, cells))
    assert params.experiment == report.name
    model = params.model
    assert (model.backbone, model.calibration) == (main["backbone"], main["calibration"])
    assert params.seed == main["seed"]
    assert sorted(params.ablation.cells) == sorted(cells)


def test_what_only_some_experiments_have_is_set_too(tmp_path):
    main = {"backbone": "resnet18", "calibration": "none", "seed": 3, "pretrained": "imagenet"}
    cells = [("dab", "none", 1), ("erfnet", "none", 1), ("lraspp", "none", 1)]
    params = applied(tmp_path, settings("camvid", "", main, cells))
    assert params.experiment == "camvid"
    assert params.model.calibration == "none"
    assert (params.model.pretrained, params.seed) == ("imagenet", 3)
    assert params.ablation.cells == cells
    assert settings("camvid", "") == ["dataset=camvid"]
