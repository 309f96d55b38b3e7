"""Training that starts from a model file, as `recipes.*.init` names it."""

import hashlib
import json
import time

import numpy as np
import torch
from safetensors.numpy import save

from eacnet import build_model, load_model, save_model
from eacnet.datasets.cityscapes import LABELS as CITYSCAPES
from eacnet.datasets.labels import described
from eacnet.evaluation.counts import Counts


def test_a_training_starts_from_a_file_and_resumes_only_from_the_same(project):
    def write(backbone: str) -> None:
        model = build_model(backbone, 19, "none")
        card = {"classes": described(CITYSCAPES), "mean": [1.0] * 3, "std": [1.0] * 3}
        save_model(model, project.root / "start.safetensors", **card)

    project.set("recipes.synthetic.init", "start.safetensors")
    project.set("recipes.synthetic.epochs", 4)
    project.prepare()
    write("dab")
    checkpoints = project.root / ".cache/training"
    process = project.start("python", "-m", "stages.train")
    while process.poll() is None and not list(checkpoints.rglob("[!.]*.pt")):
        time.sleep(0.02)
    process.kill()
    assert process.wait() < 0, "the training ended before it could be stopped"

    write("dab")  # other weights under the same name
    done = project.run("python", "-m", "stages.train")
    assert "main starts from start.safetensors\n" in done.stdout
    assert "0/8" in done.stderr
    training = json.loads((project.root / "reports/synthetic/main/training.json").read_text())
    digest = hashlib.sha256((project.root / "start.safetensors").read_bytes()).hexdigest()
    assert training["init"] == {
        "path": "start.safetensors",
        "sha256": digest,
        "mean": [1.0, 1.0, 1.0],
    }
    assert training["pretrained"] is None


def test_another_file_under_the_name_of_the_start_makes_the_trainings_stale(project):
    def changed() -> bool:
        project.run("dvc", "repro", "--quiet", "stages/dvc.yaml")
        state = json.loads(project.run("dvc", "status", "--json", "train").stdout)
        entries = [entry for entry in state.get("train@synthetic", []) if "changed deps" in entry]
        return any("models/synthetic/start.json" in entry["changed deps"] for entry in entries)

    file = project.root / "start.safetensors"
    card = {"backbone": "dab", "calibration": "none"}
    one, two, other = (
        save({"x": np.array([number])}, card | changes)
        for number, changes in ((1, {}), (2, {}), (2, {"calibration": "pooled"}))
    )
    project.set("ablation.backbones", ["dab"])
    for init in (None, file.name):
        file.write_bytes(one)
        project.set("recipes.synthetic.init", init)
        project.run("dvc", "repro", "--quiet", "stages/dvc.yaml")
        start = json.loads((project.root / "models/synthetic/start.json").read_text())
        assert start == {"sha256": init and hashlib.sha256(one).hexdigest()}
    for stage in ("data/prepared/synthetic", "models/synthetic"):
        (project.root / stage).mkdir(parents=True, exist_ok=True)
    (project.root / "models/synthetic/main.safetensors").write_bytes(b"trained")
    (project.root / "reports/synthetic/main").mkdir(parents=True)
    for name in ("training.csv", "training.json"):
        (project.root / "reports/synthetic/main" / name).write_text("{}")
    project.run("dvc", "commit", "--force", "--quiet", "train")
    assert not changed()
    file.write_bytes(two)
    assert changed()
    for content, message in (
        (other, "start.safetensors holds calibration pooled, but calibration none is to be"),
        (b"none", "start.safetensors is no intact safetensors file"),
        (None, "recipes.synthetic.init is 'start.safetensors', which is missing"),
    ):
        file.write_bytes(content) if content else file.unlink()
        done = project.run("dvc", "repro", "stages/dvc.yaml", check=False)
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert message in line


def test_a_published_checkpoint_goes_through_the_whole_pipeline(project, reference):
    """Converted, then `epochs: 0`: its weights untouched, its scores those of its own logits."""
    published = reference("dab-pooled")
    torch.save({"epoch": 9, "model": published.state}, project.root / "authors.pth")
    mean = ("--mean", "73.2", "82.9", "72.4")
    project.run("eacnet", "convert", "authors.pth", "published.safetensors", *mean)
    project.set("recipes.synthetic.epochs", 0)
    project.set("recipes.synthetic.init", "published.safetensors")
    project.set("ablation.calibrations", ["pooled"])
    # All but the benchmark, which takes a third of the time, and no weights from here.
    project.run("dvc", "repro", "--quiet", "evaluate", "analyse", "summarise", "stages/dvc.yaml")
    for stage in ("report", "index"):
        project.run("python", "-m", f"stages.{stage}")

    reports, models = project.root / "reports/synthetic", project.root / "models/synthetic"
    scored = load_model(models / "main.safetensors")
    assert scored.card.mean == [73.2, 82.9, 72.4]
    for name, value in load_model(project.root / "published.safetensors").state_dict().items():
        assert torch.equal(scored.state_dict()[name], value), name
    assert (reports / "main/training.csv").read_text() == "epoch,loss,lr,val_miou\n"
    training = json.loads((reports / "main/training.json").read_text())
    assert training["trained_on"] == []

    store = project.root / "data/prepared/synthetic/test"
    images, labels = (np.load(store / f"{name}.npy") for name in ("images", "labels"))
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2) - torch.tensor(mean_column(mean))
    with torch.no_grad():
        predicted = scored(pixels).argmax(1).numpy()
    right = ((predicted == labels) & (labels != 255)).sum() / (labels != 255).sum()
    metrics = json.loads((reports / "main/metrics.json").read_text())
    assert abs(metrics["pixel_accuracy"] - 100 * right) < 0.01
    assert len(Counts.load(reports / "main/counts.json")) == len(images)

    page = (reports / "README.md").read_text()
    assert "was taken as it is from published.safetensors" in page
    assert "training.png" not in page
    assert not (reports / "figures/training.png").exists()
    assert (reports / "figures/examples.png").exists()
    project.run("dvc", "plots", "show", "--json")


def mean_column(words):
    """Return the numbers behind --mean as (3,1,1)."""
    return [[[float(word)]] for word in words[1:]]
