import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

PROJECT = Path(__file__).parents[2]
# `params.yaml` x these: what is timed is small, and on the processor.
CHANGES = {
    "benchmark": {"classes": 5, "sizes": [[24, 40], [32, 32]], "rounds": 3, "warmup": 1},
    "hardware": {"accelerator": "cpu", "devices": 1, "workers": 0},
    "model": {"backbone": "dab", "calib": False, "attention": "pooled"},
}


@pytest.fixture
def folder(tmp_path):
    """A project folder that holds nothing but small params.yaml."""
    yaml = YAML()
    params = yaml.load(PROJECT / "params.yaml")
    params.update(CHANGES)
    yaml.dump(params, tmp_path / "params.yaml")
    return tmp_path


def run(stage, folder):
    command = [sys.executable, "-m", f"stages.{stage}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_both_stages_end_to_end(folder):
    other = folder / "reports" / "speed" / "another-machine.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}\n")
    assert run("environment", folder).returncode == 0
    first = (folder / "reports" / "environment.json").read_bytes()
    assert run("environment", folder).returncode == 0
    assert (folder / "reports" / "environment.json").read_bytes() == first

    answer = run("benchmark", folder)
    assert answer.returncode == 0, answer.stderr
    assert other.read_text() == "{}\n"
    (written,) = set(other.parent.iterdir()) - {other}
    assert written.stem.endswith("-cores")
    result = json.loads(written.read_text())
    environment = json.loads(first)
    assert result["machine"]["cpu"] == environment["cpu"]
    cores = f"{environment['cpu']['usable_cores']} cores"
    assert result["machine"]["device"] == f"{environment['cpu']['name']}, {cores}"
    assert result["network"]["calibration"] == "none"
    # 259 weights for each of the 19 classes of the published 756,643 parameters, here 5.
    assert result["network"]["parameters"] == 756_643 - 14 * 259
    assert result["classes"] == 5
    assert (result["precision"], result["runtime"]) == ("fp32", "eager")
    assert result["batch_norm_folded"] is False
    assert result["load_average_before"] >= 0
    assert result["provenance"]["threads"] == 1
    assert [(row["height"], row["width"], row["scope"]) for row in result["rows"]] == [
        (24, 40, "logits"),
        (24, 40, "label map"),
        (32, 32, "logits"),
        (32, 32, "label map"),
    ]
    for row in result["rows"]:
        assert 0 < row["p5_ms"] <= row["median_ms"] <= row["p95_ms"]
        assert row["fps"] == pytest.approx(1000 / row["median_ms"], rel=0.01)
        assert row["rounds"] == 3


@pytest.mark.parametrize("stage", ["environment", "benchmark"])
def test_wrong_parameters_are_one_line(folder, stage):
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("warmup: 1\n", "warmup: 0\n"))
    answer = run(stage, folder)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: params.yaml: benchmark.warmup is 0")
    assert answer.stderr.count("\n") == 1


def test_benchmark_asks_for_the_environment(folder):
    answer = run("benchmark", folder)
    assert answer.returncode == 1
    assert "environment.json is missing" in answer.stderr
