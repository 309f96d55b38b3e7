"""Each stage by itself: what it refuses, and what it leaves behind when it is stopped."""

import dataclasses
import json
import shutil
import signal
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from eacnet.models import build_model, save_model

ROOT = Path(__file__).parents[2]
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))
# Runs a stage in this process and says how it ended and whether PyTorch had been imported by then.
PROBE = """
import runpy, sys
try:
    runpy.run_module(sys.argv.pop(), run_name="__main__")
except SystemExit as end:
    print(end, "torch" in sys.modules)
"""


def refused(project, *command: str) -> str:
    done = project.run(*command, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.stderr.strip().splitlines()[-1:] == lines[-1:], done.stderr
    assert "Traceback" not in done.stderr
    return lines[-1]


@pytest.mark.parametrize("stage", STAGES)
def test_bad_parameters_are_refused_before_any_work(project, stage):
    project.set("seed", -1)
    out = project.run("python", "-c", PROBE, f"stages.{stage}").stdout
    assert out.strip() == (
        "error: params.yaml: seed is -1; allowed: greater than or equal to 0 False"
    )


def test_a_missing_dataset_says_how_to_get_it(project):
    project.set("dataset", "cityscapes")
    for stage in ("raw", "prepare"):
        assert "data/raw/README.md" in refused(project, "python", "-m", f"stages.{stage}")
    assert not (project.root / "data/prepared").exists()


def test_a_repro_without_camvid_and_network_says_how_to_get_it(project, monkeypatch):
    monkeypatch.setenv("CAMVID", "/nowhere")
    project.set("dataset", "camvid")
    done = project.run("dvc", "repro", check=False)
    assert done.returncode
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: CamVid can't be fetched from /nowhere")
    assert line.endswith("SegNet's CamVid folder to data/raw/camvid and run `make camvid`")
    assert not (project.root / "data/raw/camvid").exists()
    assert not (project.root / "data/prepared").exists()


def test_stages_out_of_order_say_what_is_missing(project):
    message = refused(project, "python", "-m", "stages.train")
    assert "data/prepared/synthetic/dataset.json is missing; `dvc repro`" in message
    message = refused(project, "python", "-m", "stages.summarise")
    assert "data/prepared/synthetic/dataset.json is missing; `dvc repro`" in message


def test_an_unknown_run_is_refused(project):
    message = refused(project, "python", "-m", "stages.train", "--run", "dab-full-1")
    assert "unknown run 'dab-full-1'; params.yaml names main, dab-none-1, dab-pooled-1" in message


def test_a_crop_larger_than_any_frame_allows_is_refused(project):
    project.prepare()
    project.set("recipes.synthetic.crop", [512, 512])
    message = refused(project, "python", "-m", "stages.train")
    assert "crop is 512x512, but frames of 64x128" in message
    assert not (project.root / "models").exists()


def test_a_training_on_pixels_that_changed_is_refused(project):
    project.prepare()
    for split in ("val", "train"):
        path = project.root / f"data/prepared/synthetic/{split}/images.npy"
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        message = refused(project, "python", "-m", "stages.train")
        assert f"data/prepared/synthetic/{split} holds other pixels than its checksum" in message
        assert message.endswith("run `dvc repro -f prepare`")
        assert not (project.root / "models").exists()
    project.set("recipes.synthetic.epochs", 1)  # 4 crops of 64x128 where 8 frames are to be hashed
    project.run("python", "-m", "stages.train")


def test_other_classes_over_the_same_pixels_are_another_training(project):
    project.prepare()
    project.set("recipes.synthetic.epochs", 1)
    project.run("python", "-m", "stages.train")
    path = project.root / "data/prepared/synthetic/dataset.json"
    info = json.loads(path.read_text())
    names = [entry["name"] for entry in info["classes"]]
    for entry, name in zip(info["classes"], reversed(names), strict=True):
        entry["name"] = name
    path.write_text(json.dumps(info))
    message = refused(project, "python", "-m", "stages.evaluate")
    assert f"was trained on the classes {', '.join(names)}, the data has {names[-1]}" in message
    assert "taken over" not in project.run("python", "-m", "stages.train").stdout
    project.run("python", "-m", "stages.evaluate")
    assert "taken over" in project.run("python", "-m", "stages.train").stdout


def test_a_wrong_model_file_is_refused(project):
    project.prepare()
    weights = project.root / "models/synthetic/main.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"not a network")
    assert "main.safetensors" in refused(project, "python", "-m", "stages.evaluate")
    info = json.loads((project.root / "data/prepared/synthetic/dataset.json").read_text())
    network = build_model("dab", len(info["classes"]), "edge")
    save_model(network, weights, classes=info["classes"], mean=info["mean"], std=[1.0] * 3)
    assert "holds dab with calibration edge, but main is dab with calibration pooled" in refused(
        project, "python", "-m", "stages.evaluate"
    )
    assert not (project.root / "reports").exists()


def test_stopped_drawing_leaves_nothing(project):
    project.set("datasets.synthetic.scenes.train", 10_000)
    process = project.start("python", "-m", "stages.raw")
    raw = project.root / "data/raw"
    while process.poll() is None and not list(raw.rglob("*_labelIds.png")):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.splitlines()[-1].startswith("error: interrupted")
    assert not list(raw.rglob("*synthetic*"))


def wait_for_epoch(project, process) -> None:
    checkpoints = project.root / ".cache/training"
    while process.poll() is None and not list(checkpoints.rglob("[!.]*.pt")):
        time.sleep(0.02)
    assert process.poll() is None, "the training ended before it could be stopped"


def test_a_training_killed_at_any_moment_ends_with_the_same_bits(project):
    project.set("recipes.synthetic.epochs", 4)
    project.prepare()
    weights = project.root / "models/synthetic/main.safetensors"
    curve = project.root / "reports/synthetic/main/training.csv"
    project.run("python", "-m", "stages.train")
    whole = weights.read_bytes(), curve.read_bytes()
    assert not list((project.root / ".cache/training").rglob("*.pt"))

    # DVC removes outputs before a stage runs: nothing is trained again, even so.
    weights.unlink()
    curve.unlink()
    done = project.run("python", "-m", "stages.train")
    assert "main was trained before: taken over from" in done.stdout
    assert "0/8" not in done.stderr
    assert (weights.read_bytes(), curve.read_bytes()) == whole

    weights.unlink()
    curve.unlink()
    shutil.rmtree(project.root / ".cache/trained")

    process = project.start("python", "-m", "stages.train")
    wait_for_epoch(project, process)
    process.kill()
    process.wait()
    assert not weights.exists()
    resumed = project.run("python", "-m", "stages.train").stderr
    assert "0/8" not in resumed
    assert (weights.read_bytes(), curve.read_bytes()) == whole


def test_a_curve_of_another_split_is_not_taken_over(project):
    project.prepare()
    project.run("python", "-m", "stages.train")
    curve = project.root / "reports/synthetic/main/training.csv"
    before = curve.read_bytes()
    project.update({"datasets.synthetic.validate": "test", "datasets.synthetic.evaluate": "val"})
    assert "taken over" not in project.run("python", "-m", "stages.train").stdout
    assert curve.read_bytes() != before


@pytest.mark.parametrize(
    "stage", ["analyse", "environment", "index", "prepare", "report", "summarise"]
)
def test_a_stage_that_takes_no_arguments_takes_none(project, stage):
    message = refused(project, "python", "-m", f"stages.{stage}", "--run", "dab-none-1")
    assert message == "error: --run dab-none-1: this stage takes no arguments"


def test_another_recipe_never_takes_up_an_old_checkpoint(project):
    project.set("recipes.synthetic.epochs", 30)
    project.prepare()
    process = project.start("python", "-m", "stages.train")
    wait_for_epoch(project, process)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.splitlines()[-1].startswith("error: interrupted")
    assert not list(project.root.rglob("*.tmp"))
    assert not (project.root / "models").exists()
    project.set("recipes.synthetic.epochs", 1)
    project.set("recipes.synthetic.optimiser.lr", 0.001)
    project.run("python", "-m", "stages.train")
    rows = (project.root / "reports/synthetic/main/training.csv").read_text().splitlines()
    assert len(rows) == 2


def test_every_stage_of_the_pipeline_is_a_script_and_back(project):
    stages = {}
    for file in ("dvc.yaml", "stages/dvc.yaml", "stages/ablation/dvc.yaml"):
        stages |= YAML(typ="safe").load(project.root / file)["stages"]
    # index is the second command of report; a cell is a train and an evaluate.
    assert set(STAGES) - {"index"} == set(stages) - {"ablation", "baseline"}
    for name in set(stages) & set(STAGES):
        assert f"python -m stages.{name}" in stages[name]["cmd"], name


def test_a_copy_that_dvc_makes_takes_up_the_data_of_the_project(project):
    """Own frames are in neither Git nor DVC, so a queued experiment's copy lacks them."""
    mine = project.root / "data/raw/folder/images/train/a.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"a frame")
    copy = dataclasses.replace(project, root=project.root / ".dvc/tmp/exps/tmp1234")
    shutil.copytree(project.root, copy.root, ignore=shutil.ignore_patterns(".*", "data"))
    copy.set("dataset", "folder")
    away = project.root / "data/raw/elsewhere.png"
    away.write_bytes(b"another frame")
    mine.with_name("b.png").symlink_to("../../../elsewhere.png")
    for _ in range(2):
        copy.run("python", "-m", "stages.raw")
        there = copy.root / mine.relative_to(project.root)
        assert there.samefile(mine)
        assert there.with_name("b.png").read_bytes() == b"another frame"


def test_fetched_data_are_checked_in_a_copy_as_well(project):
    frames = project.root / "data/raw/camvid/train"
    frames.mkdir(parents=True)
    (frames / "junk.png").write_bytes(b"no frame of CamVid's")
    copy = dataclasses.replace(project, root=project.root / ".dvc/tmp/exps/tmp1234")
    shutil.copytree(project.root, copy.root, ignore=shutil.ignore_patterns(".*", "data"))
    for place in (project, copy):
        place.set("dataset", "camvid")
        assert "data/raw/camvid" in refused(place, "python", "-m", "stages.raw")


def test_drawing_replaces_nothing_that_was_not_drawn(project):
    mine = project.root / "data/raw/synthetic/leftImg8bit/train/aachen/mine.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    assert "holds leftImg8bit/train/aachen/mine.png" in refused(
        project, "python", "-m", "stages.raw"
    )
    assert mine.read_bytes() == b"mine"
