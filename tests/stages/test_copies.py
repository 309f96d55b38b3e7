"""In the copies of the project that DVC runs in, `dvc exp run --queue` and `--temp`."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from eacnet.errors import InputError
from stages import fetch, prepare

ROOT = Path(__file__).parents[2]
TABLE = "id,name,red,green,blue\n0,void,0,0,0\n1,road,128,64,128\n2,car,0,0,142\n"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Go into a copy of a project, as DVC lays them; return the project's data/raw."""
    copy = tmp_path / ".dvc/tmp/exps/tmpabc"
    copy.mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", copy)
    monkeypatch.chdir(copy)
    monkeypatch.setattr(sys, "argv", ["fetch", "camvid"])
    return tmp_path / "data/raw"


@pytest.mark.parametrize("there", [True, False])
def test_a_dataset_that_the_project_has_is_not_fetched_again(copy, monkeypatch, there):
    if there:
        (copy / "camvid/train").mkdir(parents=True)
        (copy / "camvid/train/a.png").write_text("a")
    seen = []

    def checked(target, source):
        seen.extend(path.as_posix() for path in target.rglob("*.png"))

    dataset = SimpleNamespace(fetch=checked, source="/nowhere")
    monkeypatch.setattr("eacnet.datasets.find", lambda name: dataset)
    fetch.main()
    assert seen == ["data/raw/camvid/train/a.png"] * there


def test_frames_that_the_copy_lacks_are_asked_for(copy):
    with pytest.raises(InputError, match=r"^data/raw/synthetic holds no .*-S raw=\$PWD/data/raw$"):
        prepare.main()


def test_frames_of_ones_own_are_found_by_an_absolute_path(project):
    random = np.random.default_rng(0)
    own = project.root / "data/raw/folder"
    for split, frames in {"train": 2, "val": 1, "test": 1}.items():
        for kind, shape in {"images": (64, 128, 3), "labels": (64, 128)}.items():
            (own / kind / split).mkdir(parents=True)
            for index in range(frames):
                pixels = random.integers(3, size=shape, dtype=np.uint8)
                Image.fromarray(pixels).save(own / kind / split / f"{split}{index}.png")
    (own / "classes.csv").write_text(TABLE)
    keys = ("-S", "dataset=folder", "-S", f"raw={project.root}/data/raw")
    assert "prepare@folder" in project.run("dvc", "exp", "run", "--temp", *keys, "prepare").stdout
