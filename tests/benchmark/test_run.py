"""The benchmark with contenders that are no networks: what it makes of what they do."""

import time

import numpy as np
import pytest
import torch

from eacnet.benchmark import cases as contenders
from eacnet.benchmark import run as module
from eacnet.benchmark.cases import contender
from eacnet.benchmark.entries import Entry, entries
from eacnet.benchmark.run import SCOPES, agreement, benchmark, time_entries
from eacnet.benchmark.samples import DRAWN
from eacnet.benchmark.workers import Contender
from eacnet.config.benchmark import Benchmark, Cross
from eacnet.errors import InputError

SIZE = (8, 16)


def fake(entry, **others):
    """Eager PyTorch labels all 0; OpenVINO a quarter 1; others do not run, each in its own way."""
    if entry.form == "onnxruntime":
        raise InputError("runtime onnxruntime is not installed; pip install eacnet[onnx]")
    if entry.form == "published" and entry.height > 8:
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 17 GB"
        )

    def predict(images):
        time.sleep(0.01 * len(images))
        labels = np.zeros(images.shape[:3], np.uint8)
        if entry.form == "openvino":
            labels[:, :, ::4] = 1
        return labels

    if entry.form == "auto":
        return Contender(predict, "openvino", "bf16", True, "", choice={"trials": []})
    return Contender(predict, f"fake {entry.form}", entry.precision, entry.form != "published", "")


def blank(batch, height, width):
    return np.zeros((batch, height, width, 3), np.uint8)


def plan(rows, scaling=(), **others):
    timing = {"warm_up": 0, "rounds": 3, "least_rounds": 1, "seconds": 60}
    return Benchmark(classes=19, rows=rows, scaling=list(scaling), **{**timing, **others})


def cross(*forms, networks=("model",), sizes=(SIZE,), **others):
    return Cross(networks=list(networks), forms=list(forms), sizes=list(sizes), **others)


def test_rows_hold_what_was_measured():
    todo = entries([cross("eager", "openvino", batches=[1, 2])], "dab-pooled")
    rows, skipped = time_entries(todo, plan([cross("eager")]), fake, blank, "cpu")
    assert skipped == []
    assert list(rows) == todo
    eager, vino = rows[todo[0]], rows[todo[1]]
    assert eager["network"] == "dab-pooled"
    assert (eager["backbone"], eager["calibration"]) == ("dab", "pooled")
    assert (vino["form"], vino["runtime"], vino["folded"]) == ("openvino", "fake openvino", True)
    assert (eager["agreement"], vino["agreement"]) == (1.0, 0.75)
    assert rows[todo[2]]["batch"] == 2
    assert rows[todo[2]]["median_ms"] >= 20
    for row in rows.values():
        assert 10 * row["batch"] <= row["p5_ms"] <= row["median_ms"] <= row["p95_ms"]
        assert row["fps"] == pytest.approx(1000 * row["batch"] / row["median_ms"], rel=0.01)
        assert row["rounds"] == 3
        assert row["warm_up"] == {"passes": 1, "settled": False}
        assert row["peak_memory_mb"] >= 0
        assert row["scope"] in SCOPES
        assert row["reason"] is None


def test_a_row_of_auto_says_what_it_picked():
    (entry,) = todo = entries([cross("auto", precisions=["auto"])], "dab-none")
    rows, _ = time_entries(todo, plan([cross("auto")]), fake, blank, "cpu")
    row = rows[entry]
    assert (row["form"], row["runtime"], row["precision"]) == ("auto", "openvino", "bf16")
    assert row["choice"] == {"trials": []}


@pytest.mark.parametrize(
    ("form", "precision", "needed"),
    [("openvino", "int8", True), ("auto", "auto", True), ("openvino", "bf16", False)],
)
def test_samples_go_to_those_that_need_them(monkeypatch, form, precision, needed):
    given = []

    class Recorded:
        runtime, attention_kernel, choice = form, "none", None

        def __init__(self, model, *, samples, precision, **others):
            self.precision = precision
            given.append(samples)

    class Two:
        def samples(self, height, width):
            return [np.zeros((height, width, 3)), np.ones((height, width, 3))]

    monkeypatch.setattr(contenders, "Predictor", Recorded)
    contender(Entry("enet-none", form, precision, 16, 24), 3, 1, "cpu", None, Two())
    (samples,) = given
    assert [image.shape for image in samples or []] == [(16, 24, 3)] * 2 * needed


def test_what_runs_out_of_memory_is_a_row_without_figures_and_holds_up_nobody():
    todo = entries([cross("published", "eager", sizes=[(8, 16), (16, 32)])], "dab-none")
    rows, skipped = time_entries(todo, plan([cross("eager")]), fake, blank, "cpu")
    assert [row["reason"] for row in rows.values()] == [None, None, "out of memory", None]
    large = rows[todo[2]]
    assert large.keys() == rows[todo[0]].keys()
    assert (large["median_ms"], large["peak_memory_mb"], large["rounds"]) == (None, None, 0)
    assert skipped == []


def test_what_is_not_installed_is_named_once():
    todo = entries([cross("onnxruntime", "eager", sizes=[(8, 16), (16, 32)])], "dab-none")
    rows, skipped = time_entries(todo, plan([cross("eager")]), fake, blank, "cpu")
    assert [entry.form for entry in rows] == ["eager", "eager"]
    reason = "runtime onnxruntime is not installed; pip install eacnet[onnx]"
    what = {"network": "dab-none", "form": "onnxruntime", "precision": "fp32"}
    assert skipped == [{**what, "reason": reason}]


def test_without_its_reference_nothing_is_said_of_agreement():
    todo = [Entry("dab-none", "openvino", "fp32", *SIZE)]
    rows, _ = time_entries(todo, plan([cross("eager")]), fake, blank, "cpu")
    assert rows[todo[0]]["agreement"] is None


def test_agreement_by_hand():
    assert agreement(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]])) == 0.75


def test_real_networks_from_plan_to_result(monkeypatch):
    """Every key that readers of reports/speed rely on, with figures that are known otherwise."""
    limits = {"fp32_gflops": 100.0, "bf16_gflops": 400.0}
    monkeypatch.setattr(module, "limits", lambda device: limits)
    sizes = [(64, 128)]
    rows = [cross("published", "eager", sizes=sizes)]
    rows += [cross("eager", networks=["lraspp"], sizes=sizes)]
    scaling = [cross("eager", sizes=sizes)]
    shares = [cross("eager", networks=["resnet18-none"], sizes=[(16, 32)])]
    quick = plan(rows, scaling, modules=shares, rounds=1)
    result = benchmark(quick, "dab-pooled", torch.device("cpu"), seed=1)
    assert result["limits"] == limits
    assert (result["classes"], result["weights"]) == (19, "random")
    assert result["images"]["timed"] == "a drawn street scene"
    published, eager, lraspp = result["rows"]
    assert (published["form"], published["folded"]) == ("published", False)
    assert published["attention_kernel"] == "written out"
    assert (eager["form"], eager["folded"], eager["precision"]) == ("eager", True, "fp32")
    assert eager["attention_kernel"] not in ("written out", "none")
    assert eager["parameters"] == published["parameters"] == 757_784
    positions, context = 8 * 16, 4 * 8
    assert eager["attention_macs"] == 2 * 19 * positions * context
    for row in result["rows"]:
        least = 2 * row["macs"] / 100e9 * 1000
        assert row["limit_ms"] == pytest.approx(least, abs=1e-3)
        assert row["share_of_limit"] == pytest.approx(least / row["median_ms"], abs=1e-4)
    assert published["agreement"] > 0.99
    assert lraspp["parameters"] > 3_000_000
    assert result["scaling"] == [eager]
    (shares,) = result["modules"]
    assert sum(shares["shares"].values()) == pytest.approx(100, abs=0.05)
    assert result["skipped"] == []


@pytest.mark.parametrize("name", ["dab-pooled", "erfnet"])
def test_random_weights_give_label_maps_in_which_a_wrong_score_would_show(name):
    entry = Entry(name, "eager", "fp32", 64, 128)
    scene = DRAWN.timed(1, 64, 128)
    labels = contender(entry, classes=19, seed=1, device="cpu").predict(scene)
    assert np.bincount(labels.ravel()).max() < labels.size / 2
    entry = Entry(name, "published", "fp32", 64, 128)
    other = contender(entry, classes=19, seed=1, device="cpu").predict(scene)
    assert 0.999 < agreement(labels, other) <= 1


def test_nothing_to_time_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "contender", fake)
    monkeypatch.setattr(module, "limits", lambda device: {})
    with pytest.raises(InputError, match="nothing could be timed: runtime onnxruntime"):
        benchmark(plan([cross("onnxruntime")]), "dab-none", torch.device("cpu"), seed=1)
