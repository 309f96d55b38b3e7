import copy
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from eacnet.benchmark.samples import DRAWN, ImageSource
from eacnet.errors import InputError
from eacnet.files import write_json
from eacnet.machine import machine
from eacnet.pretrained.shipped import SHIPPED

PROJECT = Path(__file__).parents[2]
# `params.yaml` x these: what is timed is small, and on the processor.
ROWS = [
    {"networks": ["dab-none"], "forms": ["published"], "sizes": [[24, 40], [32, 32]]},
    {"networks": ["dab-none"], "forms": ["eager"], "sizes": [[24, 40]]},
]
PLAN = {"classes": 5, "rows": ROWS, "warm_up": 0, "rounds": 3, "least_rounds": 1, "seconds": 60}
CHANGES = {
    "benchmarks": {"quick": PLAN, "full": {**copy.deepcopy(PLAN), "rounds": 1}},
    "hardware": {"accelerator": "cpu", "devices": 1, "workers": 0},
}


@pytest.fixture
def folder(tmp_path):
    """A project folder that holds nothing but small params.yaml."""
    yaml = YAML()
    params = yaml.load(PROJECT / "params.yaml")
    params.update(CHANGES)
    yaml.dump(params, tmp_path / "params.yaml")
    return tmp_path


def run(stage, folder, *options):
    command = [sys.executable, "-m", f"stages.{stage}", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_both_stages_end_to_end(folder):
    other = folder / "reports" / "speed" / "another-machine.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}\n")
    assert run("environment", folder).returncode == 0
    environment = json.loads((folder / "reports" / "environment.json").read_text())
    assert environment == machine()

    answer = run("benchmark", folder)
    assert answer.returncode == 0, answer.stderr
    assert other.read_text() == "{}\n"
    (written,) = set(other.parent.iterdir()) - {other}
    assert written.stem.endswith("-cores-quick")
    result = json.loads(written.read_text())
    assert result["machine"] == {"device": result["machine"]["device"], **environment}
    assert result["conditions"]["threads"] == 1
    cores = f"{environment['cpu']['usable_cores']} cores"
    assert result["machine"]["device"] == f"{environment['cpu']['name']}, {cores}"
    assert (result["plan"], result["classes"], result["skipped"]) == ("quick", 5, [])
    assert result["load_average_before"] >= 0
    assert result["limits"]["fp32_gflops"] > 0
    assert result["provenance"]["threads"] == 1
    assert [(row["height"], row["width"], row["form"]) for row in result["rows"]] == [
        (24, 40, "published"),
        (32, 32, "published"),
        (24, 40, "eager"),
    ]
    for row in result["rows"]:
        assert row["network"] == "dab-none"
        assert row["rounds"] == 3
        # 259 weights for each of the 19 classes of the published 756,643 parameters, here 5.
        assert row["parameters"] == 756_643 - 14 * 259


@pytest.fixture
def measured(folder, monkeypatch):
    """Return a function: options -> runs the stage here, which takes any figure for measured."""
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(PROJECT)
    stage = importlib.import_module("stages.benchmark")
    module = importlib.import_module("eacnet.benchmark.run")

    def main(*options, rows=()):
        monkeypatch.setattr(module, "benchmark", lambda *_: {"rows": rows})
        monkeypatch.setattr(sys, "argv", ["benchmark", *options])
        stage.main()

    return main


def test_a_full_result_stands_beside_a_quick_one(measured):
    measured("--plan", "full", rows=[1])
    (full,) = Path("reports/speed").iterdir()
    assert full.stem.endswith("-cores")
    before = full.read_bytes()
    assert json.loads(before)["plan"] == "full"
    measured(rows=[2])
    assert full.read_bytes() == before
    quick = full.with_stem(f"{full.stem}-quick")
    assert set(full.parent.iterdir()) == {full, quick}
    assert json.loads(quick.read_text())["rows"] == [2]


@pytest.mark.parametrize("prepared", [True, False])
def test_a_trained_network_runs_on_frames_of_its_dataset(measured, monkeypatch, prepared):
    if prepared:
        write_json(Path("data/prepared/camvid/dataset.json"), {})
    given = []
    measured()
    module = importlib.import_module("eacnet.benchmark.run")
    monkeypatch.setattr(module, "benchmark", lambda *all: given.append(all[4]) or {})
    for options in (["--weights", str(SHIPPED)], []):
        monkeypatch.setattr(sys, "argv", ["benchmark", *options])
        importlib.import_module("stages.benchmark").main()
    expected = ImageSource(Path("data/prepared/camvid"), "test") if prepared else DRAWN
    assert given == [expected, DRAWN]


def test_an_unknown_plan_is_one_line(measured):
    with pytest.raises(InputError, match=r"unknown plan 'huge'; .* has full, quick"):
        measured("--plan", "huge")


@pytest.mark.parametrize("stage", ["environment", "benchmark"])
def test_wrong_parameters_are_one_line(folder, stage):
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace("rounds: 3\n", "rounds: 0\n", 1))
    answer = run(stage, folder)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: params.yaml: benchmarks.quick.rounds is 0")
    assert answer.stderr.count("\n") == 1
