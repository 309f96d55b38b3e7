"""Reading the result files of an experiment."""

import importlib
import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from experiment import HEAD, difference, machine, write_json

import eacnet
from eacnet.errors import InputError
from eacnet.report.pages.index import index
from eacnet.report.results import read_history, read_published, read_results, read_speed
from eacnet.report.tables import TABLES
from eacnet.report.tables.text import MINUS

PROJECT = Path(__file__).parents[2]


def test_a_notebook_gets_the_frames_of_every_table_without_weights_or_store(results):
    shown = results()
    frames = eacnet.results(str(shown.folder))
    assert list(frames) == [table.name for table in TABLES]
    assert frames.ablation is frames["ablation"]
    with pytest.raises(AttributeError, match="no table 'nothing'"):
        _ = frames.nothing
    for table in TABLES:
        pd.testing.assert_frame_equal(frames[table.name], table.frame(shown))
    # Figures are numbers to go on with.
    pooled = frames.ablation.query("backbone == 'dab' and calibration == 'pooled'")
    assert float(pooled["mIoU"].iloc[0] - 51.0) == 0.25


@pytest.mark.parametrize(
    "folder", [path.parent for path in (PROJECT / "reports").glob("*/ablation.json")], ids=str
)
def test_committed_reports_give_their_frames(folder):
    frames = eacnet.results(folder)
    expected = json.loads((folder / "ablation.json").read_text())["groups"]
    assert frames.ablation["mIoU"].tolist() == [one["scores"]["miou"]["mean"] for one in expected]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ablation.json", None, "ablation.json is missing"),
        ("ablation.json", "{}", "key split is missing"),
        ("ablation.json", "[]", "allowed: a valid dictionary"),
        ("main/evaluation.json", "{", "no valid JSON"),
        ("main/training.csv", "epoch\n1\n", "no training curve"),
        ("cells/dab-none-2/evaluation.json", "{}", "key miou is missing"),
        ("cells/dab-none-2/training.json", None, "training.json is missing"),
    ],
)
def test_a_broken_folder_is_named_and_stops_no_other(results, tmp_path, name, content, message):
    results()
    shutil.copytree(tmp_path / "reports/camvid", tmp_path / "reports/camvid_half")
    path = tmp_path / "reports/camvid_half" / name
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_results(path.parents[len(Path(name).parts) - 1])
    text = index(tmp_path / "reports")
    assert "camvid\\_half: " in text
    assert message.replace("_", "\\_") in text
    assert "| camvid " in text
    assert "[report]" not in text  # none has been written
    assert eacnet.results(tmp_path / "reports/camvid")


@pytest.mark.parametrize("read", [read_history, read_published])
def test_what_is_no_table_is_not_waited_for(tmp_path, read):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"a\.csv is no regular file"):
        read(tmp_path / "a.csv")


@pytest.mark.parametrize("whole", [True, False])
def test_a_folder_whose_name_is_no_text_stops_no_other(results, tmp_path, whole):
    results()
    other = tmp_path / "reports/caf\udce9"
    if whole:
        shutil.copytree(tmp_path / "reports/camvid", other)
    else:
        (other / "main").mkdir(parents=True)
    text = index(tmp_path / "reports").encode().decode()
    assert ("| caf\\udce9 " if whole else "- caf\\udce9: ") in text
    assert "| camvid " in text


def test_the_readings_stand_side_by_side(results, ablation, tmp_path):
    entry = difference(0.5, [0.1, 0.9], 0.2, [0.2, 0.8]) | {"joint": [-0.25, 1.0]}
    ablation["groups"][1]["gains"] = {"point": {"miou": entry | {"detectable": 0.75}}}
    results()
    shutil.copytree(tmp_path / "reports/camvid", tmp_path / "reports/camvid_on")
    for path in (tmp_path / "reports/camvid_on").rglob("training.json"):
        said = json.loads(path.read_text())
        said["init"] = {"path": "long.safetensors", "sha256": "ef" * 32}
        path.write_text(json.dumps(said))
    rows = [line for line in index(tmp_path / "reports").splitlines() if "| point" in line]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    gain = f"+0.50 ± 0.20 \\[{MINUS}0.25, +1.00\\]"
    told = ["dab", "pooled", "point", "2", gain, "0.75", "significant"]
    assert cells == [["camvid", "from scratch", *told], ["camvid\\_on", "continued", *told]]


@pytest.mark.parametrize("lacking", ["miou", "significant"])
def test_gains_that_lack_something_stop_no_other_experiment(results, ablation, tmp_path, lacking):
    results()
    shutil.copytree(tmp_path / "reports/camvid", tmp_path / "reports/camvid_half")
    entry = difference(0.5, [0.1, 0.9], 0.2, [0.2, 0.8])
    gains = {"miou": entry, "boundary_f1": entry}
    (gains if lacking == "miou" else entry).pop(lacking)
    ablation["groups"][1]["gains"] = {"point": gains}
    (tmp_path / "reports/camvid_half/ablation.json").write_text(json.dumps(ablation))
    overview, _, left_out = index(tmp_path / "reports").partition("**Left out**")
    assert "| camvid " in overview
    assert ("| camvid\\_half " in overview) == (lacking == "significant")
    assert ("camvid\\_half: " in left_out) == (lacking == "miou")


def test_a_broken_machine_is_left_out_and_named(results, tmp_path):
    results()
    folder = tmp_path / "reports/speed"
    (folder / "half.json").write_text('{"machine": {"device": "CPU C"}')
    (folder / "list.json").write_text("[]")
    (folder / "empty.json").write_text("{}")
    found, unreadable = read_speed(folder)
    assert list(found) == ["0.json", "1.json"]
    assert [line.split(":")[0] for line in unreadable] == ["empty.json", "half.json", "list.json"]
    assert [one["machine"]["device"] for one in results().speed] == ["GPU A", "CPU B"]
    assert "speed/half.json: " in index(tmp_path / "reports")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_plan_that_timed_the_most_is_preferred_wherever_it_stands(results, order):
    machines = [machine("A"), machine("A", "quick"), machine("B", "quick")]
    machines[1]["rows"] = machines[1]["rows"][:2]
    shown = results(speed=[machines[i] for i in order]).speed
    assert {(one["machine"]["device"], one["plan"]) for one in shown} == {
        ("A", "full"), ("B", "quick")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing"),
        ("", "is no training curve"),
        ("epoch,loss\n1,2\n", "is no training curve"),
        ("epoch,loss,lr,val_miou\n1,x,1,\n", "is no training curve"),
        ("epoch,loss,lr,val_miou\n1,2\n", "is no training curve"),
        ("epoch,loss,lr,val_miou\n1,inf,0.1,\n", "a figure is infinite"),
    ],
)
def test_a_broken_curve_is_refused(tmp_path, content, message):
    path = tmp_path / "training.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message) as error:
        read_history(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("method,dataset\n", "missing column device"),
        (f"{HEAD}A,camvid,test,many,,,,,,,x\n", "many"),
    ],
)
def test_broken_published_figures_are_refused(tmp_path, text, message):
    path = tmp_path / "published.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_published(path)


def test_the_overview_has_a_row_and_links_for_every_experiment(results, tmp_path, monkeypatch):
    shown = results()
    (shown.folder / "README.md").touch()
    results(variant="_cpu")
    (tmp_path / "params.yaml").write_text((PROJECT / "params.yaml").read_text())
    write_json(tmp_path / "reports/speed/0.json", machine("a_CPU"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(PROJECT)
    importlib.import_module("stages.index").main()
    text = (tmp_path / "reports/README.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| camvid "))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "camvid", "dab, pooled", "1,000", "test", "2", "62.50",
        f"+1.25 ± 0.10 \\[{MINUS}0.50, +3.00\\]", "2",
    ]  # fmt: skip
    assert "| camvid\\_cpu " in text
    assert "**camvid**: [report](camvid/README.md), [ablation]" in text
    assert "[a\\_CPU](speed/0.json)" in text
    assert "Left out" not in text
    links = [part.split(")")[0] for part in text.split("](")[1:]]
    assert all((tmp_path / "reports" / link).exists() for link in links)
    assert "There are none yet" in index(tmp_path)
