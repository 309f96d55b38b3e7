import importlib
import json
import re
from pathlib import Path

import pytest

from eacnet.report.pages.index import Experiment, index

PROJECT = Path(__file__).parents[2]
DASH = "\N{EN DASH}"


def rows(text):
    lines = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    return [line.split(" | ") for line in lines][2:]


def test_every_experiment_has_its_row_and_links(results):
    shown = results()
    full = Experiment(
        "camvid", ["README.md", "tables"], shown.training, shown.evaluation, shown.ablation
    )
    bare = Experiment("camvid_cpu", ["main"], None, None, None)
    text = index([full, bare], [{"file": "cpu.json", "device": "A CPU"}])
    assert rows(text) == [
        [
            "camvid",
            "dab, pooled",
            "1,000",
            "test",
            "2",
            "62.50",
            "+1.25 ± 0.10 \\[+0.50, +2.00\\]",
            "2",
        ],
        ["camvid\\_cpu", *[DASH] * 7],
    ]
    assert "**camvid**: [report](camvid/README.md), [tables](camvid/tables)" in text
    assert "[main network](camvid_cpu/main)" in text
    assert "[A CPU](speed/cpu.json)" in text
    assert "None" not in text
    assert "There are none yet" in index([], [])


@pytest.fixture
def stage(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(PROJECT)
    (tmp_path / "params.yaml").write_text((PROJECT / "params.yaml").read_text())
    return importlib.import_module("stages.index").main


def test_all_links_of_the_stage_lead_somewhere(stage, results):
    shown = results()
    for name in ("camvid", "synthetic"):
        folder = Path("reports") / name
        (folder / "main").mkdir(parents=True)
        (folder / "main/training.json").write_text(json.dumps(shown.training))
        (folder / "README.md").touch()
    Path("reports/speed").mkdir()
    machine = {"machine": {"device": "A CPU"}}
    Path("reports/speed/cpu.json").write_text(json.dumps(machine))
    stage()
    text = Path("reports/README.md").read_text()
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert len(links) == 5
    assert all((Path("reports") / link).exists() for link in links)
    assert [row[0] for row in rows(text)] == ["camvid", "synthetic"]
