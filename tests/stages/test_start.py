"""Training that starts from a model file, as `recipes.*.init` names it."""

import hashlib
import json
import time

from eacnet import build_model, save_model
from eacnet.labels import CITYSCAPES, described


def test_a_training_starts_from_a_file_and_resumes_only_from_the_same(project):
    def write(backbone: str) -> None:
        model = build_model(backbone, 19, "none")
        card = {"classes": described(CITYSCAPES), "mean": [1.0] * 3, "std": [1.0] * 3}
        save_model(model, project.root / "start.safetensors", **card)

    project.set("recipes.synthetic.init", "start.safetensors")
    project.set("recipes.synthetic.epochs", 4)
    project.run("python", "-m", "stages.prepare")
    write("dab")
    checkpoints = project.root / ".cache/training"
    process = project.start("python", "-m", "stages.train")
    while process.poll() is None and not list(checkpoints.rglob("[!.]*.pt")):
        time.sleep(0.02)
    process.kill()
    assert process.wait() < 0, "the training ended before it could be stopped"

    write("dab")  # other weights under the same name
    done = project.run("python", "-m", "stages.train")
    assert done.stdout == "main starts from start.safetensors\n"
    assert "0/8" in done.stderr
    training = json.loads((project.root / "reports/synthetic/main/training.json").read_text())
    digest = hashlib.sha256((project.root / "start.safetensors").read_bytes()).hexdigest()
    assert training["init"] == {"path": "start.safetensors", "sha256": digest}
    assert training["pretrained"] is None
