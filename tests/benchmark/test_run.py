"""The benchmark with predictors that are no networks: what it makes of what they do."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from eacnet.benchmark import run as module
from eacnet.benchmark.build import Setup
from eacnet.benchmark.cases import Case, cases
from eacnet.benchmark.run import SCOPE, agreement, benchmark, time_cases
from eacnet.benchmark.workers import CaseError, Worker
from eacnet.config.benchmark import Grid, Plan
from eacnet.errors import InputError
from eacnet.pretrained.shipped import SHIPPED

SIZE = (8, 16)
SPEED = Path(__file__).parents[2] / "reports" / "speed"


class Fake:
    """Eager PyTorch labels all 0; OpenVINO a quarter 1."""

    attention_kernel = ""

    def __init__(self, case):
        self.case, self.precision, self.choice = case, case.precision, None
        self.runtime = f"fake {case.form}"
        if case.form == "auto":
            self.runtime, self.precision, self.choice = "openvino", "bf16", {"trials": []}

    def __call__(self, images):
        time.sleep(0.01 * len(images))
        labels = np.zeros(images.shape[:3], np.uint8)
        if self.case.form == "openvino":
            labels[:, :, ::4] = 1
        return labels


def fake(case):
    """Build what predicts nothing; some forms do not run, each in its own way."""
    if case.form == "onnxruntime":
        raise InputError("runtime onnxruntime is not installed; pip install eacnet[onnx]")
    if case.form == "published" and case.height > 8:
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 17 GB"
        )
    return Fake(case)


def blank(batch, height, width):
    return np.zeros((batch, height, width, 3), np.uint8)


def plan(rows, scaling=(), **others):
    timing = {"warm_up": 0, "rounds": 3, "least_rounds": 1, "seconds": 60}
    return Plan(classes=19, rows=rows, scaling=list(scaling), **{**timing, **others})


def grid(*forms, networks=("dab-pooled",), sizes=(SIZE,), **others):
    return Grid(networks=list(networks), forms=list(forms), sizes=list(sizes), **others)


def test_rows_hold_what_was_measured():
    todo = cases([grid("eager", "openvino", batches=[1, 2])])
    rows, skipped = time_cases(todo, plan([grid("eager")]), fake, blank, "cpu")
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
        assert row["scope"] in SCOPE
        assert row["reason"] is None


def test_a_row_of_auto_says_what_it_picked():
    (case,) = todo = cases([grid("auto", precisions=["auto"])])
    rows, _ = time_cases(todo, plan([grid("auto")]), fake, blank, "cpu")
    row = rows[case]
    assert (row["form"], row["runtime"], row["precision"]) == ("auto", "openvino", "bf16")
    assert row["choice"] == {"trials": []}


def test_what_runs_out_of_memory_is_a_row_without_figures_and_holds_up_nobody():
    todo = cases([grid("published", "eager", sizes=[(8, 16), (16, 32)])])
    rows, skipped = time_cases(todo, plan([grid("eager")]), fake, blank, "cpu")
    assert [row["reason"] for row in rows.values()] == [None, None, "out of memory", None]
    large = rows[todo[2]]
    assert large.keys() == rows[todo[0]].keys()
    assert (large["median_ms"], large["peak_memory_mb"], large["rounds"]) == (None, None, 0)
    assert skipped == []


def test_a_process_that_is_killed_behind_its_last_pass_costs_its_own_row_alone(monkeypatch):
    todo = cases([grid("published", "eager")])
    asked = []

    def peak_memory(worker):
        asked.append(worker)
        if len(asked) == 1:
            raise CaseError("out of memory: the system ended the process", memory=True)
        return 1.0

    monkeypatch.setattr(Worker, "peak_memory", peak_memory)
    rows, skipped = time_cases(todo, plan([grid("eager")]), fake, blank, "cpu")
    assert sorted(str(row["reason"]) for row in rows.values()) == ["None", "out of memory"]
    assert skipped == []


class Noted(Worker):
    """A worker of the processor that writes down what happens to whom."""

    seen: list[tuple[str, str]]

    def __init__(self, build, images, device, libraries):
        self.form = build.args[0].form
        self.seen.append(("starts", self.form))
        super().__init__(build, images, "cpu", libraries)

    def begin(self):
        self.seen.append(("begins", self.form))
        super().begin()

    def close(self):
        self.seen.append(("closes", self.form))
        super().close()


@pytest.mark.parametrize(
    ("device", "at_first"),
    [
        ("cpu", [("starts", "eager"), ("begins", "eager"), ("starts", "openvino")]),
        ("cuda", [("starts", "eager"), ("starts", "openvino"), ("starts", "onnxruntime")]),
    ],
)
def test_on_a_gpu_all_are_set_up_at_once_and_their_first_passes_come_in_turn(
    monkeypatch, device, at_first
):
    monkeypatch.setattr(Noted, "seen", [], raising=False)
    monkeypatch.setattr(module, "Worker", Noted)
    todo = cases([grid("eager", "openvino", "onnxruntime")])
    rows, skipped = time_cases(todo, plan([grid("eager")]), fake, blank, device)
    assert [row["median_ms"] >= 10 for row in rows.values()] == [True, True]
    assert [each["form"] for each in skipped] == ["onnxruntime"]
    assert Noted.seen[:3] == at_first
    assert {form for what, form in Noted.seen if what == "closes"} == {
        "eager",
        "openvino",
        "onnxruntime",
    }


def test_what_is_not_installed_is_named_once():
    todo = cases([grid("onnxruntime", "eager", sizes=[(8, 16), (16, 32)])])
    rows, skipped = time_cases(todo, plan([grid("eager")]), fake, blank, "cpu")
    assert [case.form for case in rows] == ["eager", "eager"]
    reason = "runtime onnxruntime is not installed; pip install eacnet[onnx]"
    what = {"network": "dab-pooled", "form": "onnxruntime", "precision": "fp32"}
    assert skipped == [{**what, "reason": reason}]


def test_without_its_reference_nothing_is_said_of_agreement():
    todo = [Case("dab-none", "openvino", "fp32", *SIZE)]
    rows, _ = time_cases(todo, plan([grid("eager")]), fake, blank, "cpu")
    assert rows[todo[0]]["agreement"] is None


def test_agreement_by_hand():
    assert agreement(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]])) == 0.75


def test_a_bar_ends_when_all_is_done_however_many_rounds_there_were():
    told = []
    todo = cases([grid("eager", "onnxruntime", sizes=[(8, 16), (16, 32)])])
    for seconds in (0, 60):
        short = plan([grid("eager")], seconds=seconds)
        time_cases(todo, short, fake, blank, "cpu", told.append)
        # Whole passes: fractions would add up to more than all, which tqdm warns of.
        assert all(isinstance(passes, int) and passes >= 0 for passes in told)
        assert sum(told) == len(todo) * (1 + short.rounds)
        told.clear()


def test_real_networks_from_plan_to_result(monkeypatch):
    """Every key that readers of reports/speed rely on, with figures that are known otherwise."""
    rates = iter([{"fp32_gflops": rate, "bf16_gflops": None} for rate in (90.0, 100.0)])
    monkeypatch.setattr(module, "matmul_rates", lambda device: next(rates))
    sizes = [(64, 128)]
    rows = [
        grid("published", "eager", sizes=sizes),
        grid("eager", networks=["erfnet"], sizes=sizes),
    ]
    parts = [grid("eager", networks=["resnet18-none"], sizes=[(16, 32)])]
    quick = plan(rows, [grid("eager", sizes=sizes)], modules=parts, rounds=1)
    result = benchmark(quick, torch.device("cpu"), seed=1)
    assert result["limits"] == {"fp32_gflops": 100.0, "bf16_gflops": None}  # the higher one
    assert (result["classes"], result["weights"]) == (19, "random")
    assert result["images"]["timed"] == "a drawn street scene"
    published, eager, baseline = result["rows"]
    assert (published["form"], published["folded"]) == ("published", False)
    assert published["attention_kernel"] == "written out"
    assert (eager["form"], eager["folded"], eager["precision"]) == ("eager", True, "fp32")
    assert eager["attention_kernel"] not in ("written out", "none")
    assert eager["parameters"] == published["parameters"] == 757_784
    positions, context = 8 * 16, 4 * 8
    assert eager["attention_macs"] == 2 * 19 * positions * context
    assert (baseline["network"], baseline["backbone"]) == ("erfnet", "erfnet")
    assert (baseline["calibration"], baseline["parameters"]) == ("none", 2_064_191)
    for row in result["rows"]:
        least = 2 * row["macs"] / 100e9 * 1000
        assert row["limit_ms"] == pytest.approx(least, abs=1e-3)
        assert row["share_of_limit"] == pytest.approx(least / row["median_ms"], abs=1e-4)
    assert published["agreement"] > 0.99
    assert result["scaling"] == [eager]
    (part,) = result["modules"]
    assert sum(part["shares"].values()) == pytest.approx(100, abs=0.05)
    assert result["skipped"] == []
    assert result["training"] == []
    for file in SPEED.glob("*.json"):  # what was measured before reads like what is measured now
        earlier = json.loads(file.read_text())
        assert set(earlier) | {"training"} >= set(result)  # that came later
        assert all(set(row) == set(eager) for row in earlier["rows"][:1])
        # A plan need not name modules.
        assert all(set(each) == set(part) for each in earlier["modules"])


def test_weights_that_the_plan_does_not_time_are_refused():
    with pytest.raises(InputError, match=r"holds dab-edge; this plan times erf-none, erfnet, e"):
        benchmark(
            plan(
                [grid("eager", networks=["erf-none", "erfnet"])],
                training=[{"recipe": "camvid", "networks": ["enet-none"]}],
            ),
            torch.device("cpu"),
            1,
            SHIPPED,
        )


def test_nothing_to_time_is_an_error(monkeypatch):
    monkeypatch.setattr(Setup, "build", property(lambda self: fake))
    monkeypatch.setattr(module, "matmul_rates", lambda device: {})
    with pytest.raises(InputError, match="nothing could be timed: runtime onnxruntime"):
        benchmark(plan([grid("onnxruntime")]), torch.device("cpu"), seed=1)
