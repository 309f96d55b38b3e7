"""`eacnet pick`: which networks it chooses from, in which order, and what it says."""

import json
from pathlib import Path

import pytest
import torch

from eacnet.benchmark import candidates as looked_up
from eacnet.benchmark import pick as module
from eacnet.benchmark.candidates import Candidate, find_candidates
from eacnet.benchmark.pick import time_candidate
from eacnet.errors import InputError
from eacnet.files import checksum
from eacnet.models import build_model, save_model
from eacnet.pretrained.shipped import SHIPPED

REPORTS = Path(__file__).parents[2] / "reports"
EVALUATION = json.loads((REPORTS / "camvid_cpu_long/main/evaluation.json").read_text())
CLASSES = [{"name": name, "category": "", "color": [0, 0, 0]} for name in ("sky", "road")]


@pytest.fixture
def save(here):
    """Return a function that saves a network and its score as the pipeline does."""

    def make(run, backbone, calibration, miou, dataset="camvid", experiment="camvid"):
        path = Path("models") / experiment / f"{run}.safetensors"
        model = build_model(backbone, 2, calibration)
        save_model(model, path, classes=CLASSES, mean=[99.0] * 3, std=[1.0] * 3, dataset=dataset)
        if miou is not None:
            folder = Path("reports") / experiment / (run if run == "main" else f"cells/{run}")
            folder.mkdir(parents=True)
            source = {**EVALUATION["provenance"], "weights": checksum(path)}
            content = {**EVALUATION, "miou": miou, "provenance": source}
            (folder / "evaluation.json").write_text(json.dumps(content))
        return path

    return make


@pytest.fixture
def trained(save, monkeypatch):
    """An experiment with a network of two seeds, two others, and one that was never scored.

    The main network is the second seed's, as in the pipeline.
    """
    monkeypatch.setattr(looked_up, "pipeline", lambda: ("camvid", ""))
    save("dab-pooled-1", "dab", "pooled", 50.0)
    torch.manual_seed(1)
    main = save("main", "dab", "pooled", 60.0)
    torch.manual_seed(1)
    assert checksum(save("dab-pooled-2", "dab", "pooled", 60.0)) == checksum(main)
    save("erf-none-1", "erf", "none", 58.0)
    save("enet-none-1", "enet", "none", 40.0)
    save("resnet18-none-1", "resnet18", "none", None)


@pytest.fixture
def rates(monkeypatch):
    """Let networks take what a test says, instead of timing them; return those asked for."""
    asked = []

    def fake(one, size, device):
        asked.append(one.name)
        fps = {"dab + pooled": 5.0, "erf": 12.5, "enet": 50.0}[one.name]
        how = {"runtime": "openvino", "precision": "bf16", "agreement": 0.9995}
        row = {"weights": str(one.path), "network": one.name, "miou": one.miou, **how}
        return {**row, "median_ms": 1000 / fps, "p95_ms": 1001 / fps, "fps": fps}

    monkeypatch.setattr(module, "time_candidate", fake)
    return asked


def test_it_chooses_from_what_was_scored_here_and_what_ships(trained):
    found = [(one.name, one.path.stem, one.miou) for one in find_candidates([])]
    assert found == [
        ("erf", "erf-none-1", 58.0),
        ("dab + pooled", "dab-pooled-1", 55.0),  # the mean of both seeds, not the better one
        ("enet", "enet-none-1", 40.0),
        ("dab + edge", SHIPPED.stem, None),  # of the same dataset, and no report on it here
    ]


def test_scores_on_several_splits_are_not_compared(trained):
    path = Path("reports/camvid/cells/erf-none-1/evaluation.json")
    content = json.loads(path.read_text())
    content["provenance"]["split"] = "train"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="scores on the splits test and train do not compare"):
        find_candidates([])


def test_without_a_pipeline_it_is_the_network_that_ships(here):
    (only,) = find_candidates([])
    assert only == Candidate(SHIPPED, None)


def test_a_network_of_another_dataset_does_not_join(save, monkeypatch):
    monkeypatch.setattr(looked_up, "pipeline", lambda: ("camvid", ""))
    path = save("main", "dab", "pooled", 60.0, dataset="synthetic")
    assert [one.path for one in find_candidates([])] == [path]


def test_named_files_take_the_scores_of_their_own_bytes(save):
    scored = save("main", "dab", "none", 33.0)
    unknown = save("other", "erf", "none", None)
    copy = Path("copy.safetensors")
    copy.write_bytes(scored.read_bytes())
    found = [(one.path, one.miou) for one in find_candidates([unknown, copy])]
    assert found == [(copy, 33.0), (unknown, None)]


def test_a_network_whose_score_is_none_has_none(trained, save):
    path = save("void", "enet", "pooled", None)
    folder = Path("reports/camvid/cells/void")
    folder.mkdir()
    content = {**EVALUATION, "miou": None}
    content["provenance"] = {**EVALUATION["provenance"], "weights": checksum(path)}
    (folder / "evaluation.json").write_text(json.dumps(content))
    assert path not in [one.path for one in find_candidates([])]
    assert find_candidates([path])[0].miou is None


def test_a_broken_report_of_another_experiment_is_left_out_and_named(trained, capsys):
    path = Path("reports/other/main/evaluation.json")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert [one.miou for one in find_candidates([])] == [58.0, 55.0, 40.0, None]
    assert f"not taken is a score: {path} is no valid JSON" in capsys.readouterr().err
    path = Path("reports/camvid/main/evaluation.json")
    path.write_text("{")
    assert find_candidates([Path("models/camvid/erf-none-1.safetensors")])[0].miou == 58.0
    with pytest.raises(InputError, match=f"{path} is no valid JSON"):
        find_candidates([])


@pytest.mark.parametrize(
    ("fps", "timed", "pick"),
    [(10, ["erf"], "erf"), (20, ["erf", "dab + pooled", "enet"], "enet")],
)
def test_the_first_that_holds_the_rate_is_the_pick(eacnet, trained, rates, fps, timed, pick):
    code, out, _ = eacnet("pick", "--fps", fps, "--size", "64x96", "--json")
    assert code == 0
    assert rates == timed
    content = json.loads(out)
    assert [row["network"] for row in content["timed"]] == timed
    assert content["pick"]["network"] == pick
    assert content["pick"]["holds"]
    assert (content["height"], content["width"]) == (64, 96)


def test_the_table_and_the_pick_are_told(eacnet, trained, rates):
    code, out, _ = eacnet("pick", "--fps", 20, "--size", "64x96")
    assert code == 0
    heading, *rows, left, last = out.splitlines()
    assert heading.startswith("network")
    assert heading.endswith("FPS")
    assert rows[2].split() == ["enet", "40.00", "openvino", "bf16", "99.950", "20.0", "50.0"]
    assert left.startswith("1 less accurate")
    assert last.startswith("pick for 20 frames per second at 64x96 on ")
    assert "enet-none-1.safetensors), --runtime openvino --precision bf16: 50.0" in last


def test_a_rate_that_nothing_holds_is_one_line(eacnet, save, rates):
    named = save("a", "erf", "none", 1.0), save("b", "enet", "none", None)
    code, out, err = eacnet("pick", "--fps", 60, "--size", "64x96", "--weights", *named, "--json")
    assert code == 1
    assert json.loads(out)["pick"] is None
    (line,) = [line for line in err.splitlines() if "nothing holds" in line]
    assert "nothing holds 60 frames per second at 64x96" in line
    assert "the fastest is enet" in line


def test_what_does_not_compare_is_refused(eacnet, save):
    one, other = save("a", "dab", "none", 1.0), save("b", "dab", "none", 2.0, "cityscapes")
    command = "pick", "--fps", 1, "--size", "64x96", "--weights"
    code, _, err = eacnet(*command, one, other)
    assert code == 1
    assert "scores on camvid and cityscapes do not compare" in err
    code, _, err = eacnet(*command, "absent.safetensors")
    assert (code, "absent.safetensors: there is no such file" in err) == (1, True)


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "fast"])
def test_a_rate_is_a_number_above_0(eacnet, rate):
    code, _, err = eacnet("pick", f"--fps={rate}", "--size", "64x96")
    assert code == 2
    assert "is no number of frames above 0" in err


def test_a_network_is_timed_in_what_keeps_its_labels(save, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0)
    monkeypatch.setattr(module, "WARM_UP", 0)
    monkeypatch.setattr(module, "candidates", lambda *_: [("eager", "fp32"), ("compile", "fp32")])
    one = Candidate(save("a", "enet", "none", 40.0), 40.0)
    row = time_candidate(one, (48, 64), torch.device("cpu"))
    assert (row["runtime"], row["precision"], row["agreement"]) == ("eager", "fp32", 1.0)
    assert row["fps"] == pytest.approx(1000 / row["median_ms"], rel=0.01)
    assert (row["network"], row["miou"], row["weights"]) == ("enet", 40.0, str(one.path))
