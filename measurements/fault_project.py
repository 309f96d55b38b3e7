"""A tiny project with everything a pipeline makes, for faults to be tried on."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
from fault_run import ROOT, preload, run
from PIL import Image
from ruamel.yaml import YAML

CELLS = ("dab-none-1", "dab-pooled-1")
# What is killed, in the order in which it is made.
STAGES = {
    "raw": ["stages.raw"],
    "prepare": ["stages.prepare"],
    "train": ["stages.train"],
    "evaluate": ["stages.evaluate"],
    "analyse": ["stages.analyse"],
    "summarise": ["stages.summarise"],
    "report": ["stages.report"],
}
SMALL = {
    "datasets.synthetic.scenes": {"train": 4, "val": 2, "test": 2},
    "datasets.synthetic.size": [64, 128],
    "recipes.synthetic.epochs": 2,
    "recipes.synthetic.batch": 2,
    "recipes.synthetic.crop": [64, 128],
    "ablation.backbones": ["dab"],
    "ablation.baselines": [],
    "ablation.seeds": [1],
    "report.examples": 1,
    "recipes.folder.epochs": 1,
    "recipes.folder.batch": 1,
    "recipes.folder.crop": [64, 64],
    "recipes.folder.compile": False,
}


def make_project(root: Path) -> Path:
    """Make a project at `root`: data, two trained cells, their scores, a report, some media."""
    os.environ |= {"XDG_CACHE_HOME": str(root.parent / "home"), "OMP_NUM_THREADS": "1"}
    preload()
    root.mkdir(parents=True)
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    for key, value in SMALL.items():
        set_key(params, key, value)
    yaml.dump(params, root / "params.yaml")
    shutil.copytree(ROOT / "reports/speed", root / "reports/speed")
    shutil.copy(ROOT / "data/published.csv", _parent(root / "data/published.csv"))
    commands = [STAGES["raw"], STAGES["prepare"], ["stages.environment"]]
    for name in ("main", *CELLS):
        commands += [[f"stages.{stage}", "--run", name] for stage in ("train", "evaluate")]
    for command in [*commands, *list(STAGES.values())[4:]]:
        outcome = run(command, root, 600)
        assert outcome.code == 0, outcome.text
    _media(root)
    _own_frames(root / "data/raw/folder")
    outcome = run(["eacnet", "predict", "image.png"], root, 600)
    assert outcome.code == 0, outcome.text
    shutil.rmtree(root / "predictions")
    return root


def set_key(values: dict, key: str, value: object) -> None:
    """Set a value in nested objects by its dotted key."""
    *parents, last = key.split(".")
    for parent in parents:
        values = values[parent]
    values[last] = value


def _media(root: Path) -> None:
    pixels = np.random.default_rng(0).integers(256, size=(48, 64, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    for suffix in ("png", "jpg", "bmp", "tif", "webp", "ppm"):
        image.save(root / f"image.{suffix}")
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=s=64x48:d=0.4:r=10"]
    try:
        subprocess.run([*command, "-y", root / "video.mp4"], check=True)
    except (OSError, subprocess.CalledProcessError):
        _video(root / "video.mp4", pixels)


def _video(path: Path, pixels: np.ndarray) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def _own_frames(folder: Path) -> None:
    random = np.random.default_rng(1)
    for split in ("train", "val", "test"):
        image = random.integers(256, size=(64, 64, 3), dtype=np.uint8)
        labels = random.integers(3, size=(64, 64), dtype=np.uint8)
        Image.fromarray(image).save(_parent(folder / f"images/{split}/a.png"))
        Image.fromarray(labels).save(_parent(folder / f"labels/{split}/a.png"))
    rows = ("id,name,red,green,blue", "0,void,0,0,0", "1,road,128,64,128", "2,car,0,0,142")
    (folder / "classes.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
