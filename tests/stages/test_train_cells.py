"""`eacnet train-cells` from settings to networks that `dvc repro` records without training."""

import json
import signal
import time


def wait_for(project, pattern: str, process) -> None:
    while not list(project.root.glob(pattern)):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def test_all_networks_are_trained_through_a_kill_and_dvc_trains_none(project):
    project.set("recipes.synthetic.epochs", 12)
    project.set("ablation.calibrations", ["none"])  # and the main network, which is calibrated
    refused = project.run("eacnet", "train-cells", check=False)
    assert refused.returncode == 1
    assert "data/prepared/synthetic/dataset.json is missing" in refused.stderr
    project.run("dvc", "repro", "--quiet", "prepare", "stages/dvc.yaml")
    process = project.start("eacnet", "train-cells", "--jobs", "1")
    wait_for(project, ".cache/training/[!.]*.pt", process)
    # Only the looker-on is killed: its trainings follow it.
    process.send_signal(signal.SIGKILL)
    process.wait()
    (log,) = project.root.glob(".cache/cells/synthetic/*/log.txt")
    while "error: interrupted" not in log.read_text():
        time.sleep(0.05)
    table = project.run("eacnet", "train-cells", "--status").stdout
    assert "stopped" in table
    assert "missing" in table

    done = project.run("eacnet", "train-cells")
    assert "dab-none-1 goes on behind epoch" in done.stdout
    assert "all 2 networks of synthetic are trained" in done.stdout
    assert log.read_text().count("goes on behind epoch") == 1
    assert not (project.root / "models/synthetic/main.safetensors").exists()
    assert not list(project.root.glob(".cache/cells/synthetic/*/models"))

    recorded = project.run("dvc", "repro", "train", "stages/ablation/dvc.yaml").stdout
    assert recorded.count("was trained before: taken over from") == 2
    facts = json.loads((project.root / "reports/synthetic/main/training.json").read_text())
    assert facts["processes"] == 1
