"""The figures of every table, against the result files and figures worked out by hand."""

import copy
import dataclasses

import pandas as pd
import pytest
from experiment import HEAD, difference, machine, spread, timed

from eacnet.report.tables import TABLES, columns, shown
from eacnet.report.tables.speed import representative

TIMES = "\N{MULTIPLICATION SIGN}"
BY_NAME = {table.name: table for table in TABLES}
SCORES = list(columns.SCORES.items())


def made(results, name):
    return BY_NAME[name].frame(results)


def marked(results, name, heading):
    return BY_NAME[name].fill(results).marks[heading].tolist()


def listed(frame, *headings):
    return frame[list(headings)].astype(object).where(frame[list(headings)].notna(), None)


def test_the_ablation_is_that_of_the_file(results, ablation):
    frame = made(results(), "ablation")
    groups = ablation["groups"]
    for name, heading in SCORES:
        if heading in frame:
            found = [(group["scores"].get(name) or {}).get("mean") for group in groups]
            assert listed(frame, heading)[heading].tolist() == found
    assert frame["mIoU std"].dropna().tolist() == [0.4, 0.3]
    gains = listed(frame, "gain in mIoU", "gain in mIoU low", "gain in mIoU high")
    assert gains.to_numpy().tolist() == [
        [None] * 3, [1.25, -0.5, 3.0], [None] * 3, [-0.5, -1.5, 0.5]
    ]  # fmt: skip
    verdicts = listed(frame, "verdict")["verdict"].tolist()
    assert verdicts == [None, "significant", None, "no verdict: one training"]
    assert frame["parameters (M)"].unique().tolist() == [0.757784]
    assert frame["of these attention (G)"].tolist() == [0, 0.001, 0, 0.001]
    assert marked(results(), "ablation", "mIoU") == ["", "best", "best", ""]
    # Only pooled dab was timed, in fp32 fastest by "auto", 8 ms, on both machines.
    assert frame["FPS on GPU A"].dropna().tolist() == [125.0]
    assert "FPS on CPU B" in frame
    note = BY_NAME["ablation"].fill(results()).note
    assert f"MACs of one image of 360 {TIMES} 480." in note
    assert "over seeds and images together, over the images alone where there is one" in note


@pytest.mark.parametrize(
    ("entry", "verdict"),
    [
        ({"seeds": None, "significant": True}, "no verdict: one training"),
        ({"seeds": None, "significant": False}, "no verdict: one training"),
        ({"seeds": None, "significant": None}, "no verdict: one training"),
        ({"seeds": [0.1, 2], "significant": None}, "no verdict: one training"),
        ({"seeds": [0.1, 2], "significant": True}, "significant"),
        ({"seeds": [-0.1, 2], "significant": False}, "not significant"),
    ],
)
def test_one_training_gives_no_verdict(results, ablation, entry, verdict):
    ablation["groups"][1]["gains"]["none"]["miou"] |= entry
    for name in ("ablation", "differences"):
        assert made(results(), name)["verdict"].dropna().tolist()[0] == verdict


def test_each_gain_has_its_intervals(results):
    frame = made(results(), "differences")
    ends = ("difference low", "interval over seeds low", "interval over images low")
    assert listed(frame, "backbone", "against", "score", *ends).to_numpy().tolist() == [
        ["dab", "none", "mIoU", -0.5, 0.35, 0.5],
        ["erf", "none", "mIoU", -1.5, None, -1.5],
    ]


def test_gains_against_controls_show_how_sure_they_are(results, ablation):
    group = ablation["groups"][1]
    more = {"joint": [0.25, 2.5], "detectable": 0.75, "holm": 0.01}
    plain = difference(1.25, [0.5, 2.0], 0.1, [0.35, 2.15]) | more
    point = difference(0.1, [-0.5, 0.75], 0.2, [-1.0, 1.0], significant=False)
    point |= {"joint": [-1.5, 1.75], "detectable": 2.0, "holm": 0.7}
    decoder = {"miou": difference(1.5, [0.5, 2.5])}
    none = {"miou": plain, "boundary_f1": plain, "class_iou": {"sky": plain}}
    group["gains"] = {"none": none, "point": {"miou": point, "class_iou": {}}, "decoder": decoder}
    shown_ = results()
    frame = made(shown_, "differences").query("backbone == 'dab'")
    pairs = listed(frame, "against", "score", "difference", "difference low", "detectable")
    assert pairs.to_numpy().tolist() == [
        ["none", "mIoU", 1.25, 0.25, 0.75],
        ["none", "boundary F1", 1.25, 0.25, 0.75],
        ["point", "mIoU", 0.1, -1.5, 2.0],
        ["published decoder", "mIoU", 1.5, 0.5, None],
    ]
    note = BY_NAME["differences"].fill(shown_).note
    assert "interval over seeds and images together" in note
    assert "Holm" in note
    assert "published decoder" in note


def test_doubted_frames_are_named_with_the_score_without_them(results, evaluation):
    doubted = {"frames": ["Seq05VD_f02610"], "places": [3], "miou": 63.25}
    found = results(main__evaluation=evaluation(True) | {"without": doubted})
    note = BY_NAME["accuracy"].fill(found).note
    assert "The labels of Seq05VD_f02610 are doubted; without, mIoU is 63.25 %." in note
    assert "doubted" not in BY_NAME["accuracy"].fill(results()).note


def test_a_score_of_each_class_that_is_added_is_in_the_table_of_classes(results, evaluation):
    ablation = results().ablation
    ablation["groups"][0]["recall"] = {"road": spread(12.5)}
    columns.SCORES["recall"] = "recall"
    try:
        scored = evaluation(True) | {"recall": {"road": 7.5, "sky": None, "train": None}}
        frame = made(results(main__evaluation=scored, ablation=ablation), "classes")
        assert frame["recall"].dropna().tolist() == [7.5]
        assert frame["dab, no calibration: recall"].dropna().tolist() == [12.5]
        assert "recall" not in made(results(main__evaluation=scored), "accuracy")["score"].tolist()
    finally:
        del columns.SCORES["recall"]


def test_a_score_that_is_added_is_in_every_table_of_scores(results, ablation, evaluation):
    new = "sharpness"
    for group in ablation["groups"]:
        group["scores"][new] = spread(12.5)
        for gains in group["gains"].values():
            gains[new] = difference(0.5, [0.1, 0.9])
    columns.SCORES[new] = "sharpness of edges"
    try:
        scored = results(main__evaluation=evaluation(True) | {new: 7.5})
        assert made(scored, "ablation")["sharpness of edges"].tolist() == [12.5] * 4
        assert "sharpness of edges" in made(scored, "differences")["score"].tolist()
        assert "sharpness of edges" in made(scored, "accuracy")["score"].tolist()
    finally:
        del columns.SCORES[new]


def test_without_calibration_nothing_is_compared(results, ablation):
    ablation["groups"] = [group for group in ablation["groups"] if not group["gains"]]
    names = [table.name for table in shown(results(calibrated=False))]
    assert not {"differences", "class_differences", "wins", "effect", "attention"} & set(names)
    assert "ablation" in names


def test_classes_of_the_main_network_and_of_the_ablation(results):
    frame = made(results(), "classes")
    # IoU of road 60 / 80 after and 50 / 80 before, of sky 20 / 40 and 20 / 50.
    found = listed(frame, "class", "share of pixels", "coarse", "calibrated", "difference")
    assert found.to_numpy().tolist() == [
        ["road", 80.0, 62.5, 75.0, 12.5],
        ["sky", 20.0, 40.0, 50.0, 10.0],
        ["train", 0.0, None, None, None],
        ["mean", None, 51.25, 62.5, 11.25],
    ]
    assert frame["dab, pooled"].dropna().tolist() == [75.0, 50.0, 51.25]
    assert marked(results(), "classes", "calibrated") == ["best", "best", "", "best"]
    assert "main network" in made(results(calibrated=False), "classes")
    gains = made(results(), "class_differences")
    assert gains["gain: dab, pooled against none"].tolist() == [1.25, 3.0]
    assert gains["verdict: erf, pooled against none"].iloc[0] == "no verdict: one training"
    categories = made(results(), "categories")
    assert listed(categories, "IoU")["IoU"].tolist() == [75.0, 50.0, None, 62.5]


def test_bands_and_what_calibration_does_there(results):
    frame = made(results(), "bands")
    assert frame["band"].tolist() == [*(f"within {w} px" for w in (3, 5, 9)), "whole image"]
    assert frame["share of pixels"].tolist() == [50.0, 50.0, 50.0, 100.0]
    assert frame["dab, no calibration"].tolist() == [50.0] * 4
    effect = made(results(), "effect").set_index("region")
    # Of the 60 pixels at edges, 15 are changed.
    inside = effect.loc["within 5 px"]
    assert (inside["pixels"], inside["changed"]) == (60, 25.0)
    assert inside["net"] == pytest.approx(inside["corrected"] - inside["broken"])
    note = BY_NAME["effect"].fill(results()).note
    assert "changes, 75.00 % lie within 5 pixels of an edge, where 60.00 % of all" in note


def test_a_split_without_edges_has_no_band_figures(results, evaluation):
    blank = copy.deepcopy(evaluation(True))
    nothing = {"miou": None, "pixel_accuracy": None, "pixels": 0}
    nothing["class_iou"] = dict.fromkeys(blank["class_iou"])
    blank["bands"] = blank["coarse"]["bands"] = dict.fromkeys(("3", "5", "9"), nothing)
    region = {"pixels": 0, "changed": None, "corrected": None, "broken": None}
    outside = {"pixels": 9, "changed": 0.0, "corrected": 0.0, "broken": 0.0}
    blank |= {"boundary_f1": None, "effect": {"in_band": region, "outside": outside}}
    found = results(main__evaluation=blank)
    for table in shown(found):
        assert "nan" not in table.markdown().split("\n\n")[-1].lower()
    assert "Of all pixels that it changes" not in BY_NAME["effect"].fill(found).note


def test_confusion_has_a_row_for_each_pair(results, evaluation):
    frame = made(results(), "confusion")
    matrix = frame.pivot(index="truth", columns="prediction", values="pixels")
    names = list(evaluation(True)["class_iou"])
    assert matrix.loc[names, names].to_numpy().tolist() == evaluation(True)["confusion"]
    shares = frame.groupby("truth")["share"].sum(min_count=1)
    assert shares.dropna().tolist() == pytest.approx([100.0, 100.0])
    assert pd.isna(shares["train"])


def published(method, miou, **others):
    row = {"method": method, "dataset": "camvid", "split": "test", "miou_percent": miou, "fps": ""}
    row |= {"input_height": "360", "input_width": "480", "device": "", "params_millions": ""}
    row |= {"pretraining": "", "source": "a paper"} | others
    return ",".join(row[name] for name in HEAD.strip().split(",")) + "\n"


def test_published_and_ours_side_by_side(results):
    text = HEAD + published("A", "66.72", fps="146", device="GTX") + published("B", "51.3")
    text += published("C", "80", dataset="camvid720") + published("D", "99", dataset="cityscapes")
    found = results(published=text)
    frame = made(found, "comparison")
    pooled = "ours: dab, pooled"
    names = ["A", "B", "ours: dab, no calibration", pooled, pooled]
    assert frame["method"].tolist()[:5] == names
    assert frame["mIoU (%)"].tolist()[:4] == [66.72, 51.3, 50.0, 51.25]
    # Our own 60.0 is the second best.
    marks = marked(found, "comparison", "mIoU (%)")
    assert (marks[0], marks[1], marks[5]) == ("best", "", "second")
    assert set(marked(found, "comparison", "FPS")) == {""}
    text = BY_NAME["comparison"].fill(found).markdown()
    # Quoted with the digits of the source.
    assert "**66.72**" in text
    assert "51.3 |" in text
    assert frame["source"].iloc[3] == "measured on commit 0123456789ab, mean of 2 seeds"


def test_scores_of_two_splits_are_not_ranked_together(results):
    text = HEAD + published("A", "66.7", split="val") + published("B", "70.1", split="val")
    marks = marked(results(published=text), "comparison", "mIoU (%)")
    assert marks[:2] == ["", "best"]


def test_generated_scenes_stand_beside_cityscapes(results):
    text = HEAD + published("A", "66.7", dataset="cityscapes") + published("B", "1.0")
    data = {"dataset": "synthetic", "size": [128, 256]}
    found = results(published=text, data=data)
    assert made(found, "comparison")["method"].iloc[0] == "A"
    note = BY_NAME["comparison"].fill(found).note
    assert "do not compare" in note
    assert marked(found, "comparison", "mIoU (%)")[0] == ""


def test_the_timing_that_stands_for_a_network():
    def row(device="CPU", **others):
        small = {"height": 360, "width": 480}
        return {"device": device, **timed("dab-pooled", "eager", 100.0, **small), **others}

    rows = [
        row(fps=9.0), row(fps=11.0, form="openvino"), row(fps=30.0, precision="bf16"),
        row(fps=40.0, batch=8), row(fps=50.0, scope="logits"), row(calibration="none"),
        row(height=512, width=1024, fps=60.0), row("GPU", height=512, width=1024, fps=70.0),
        row("GPU", height=64, width=64, fps=80.0), row("TPU", fps=None),
    ]  # fmt: skip
    chosen = representative(rows, "dab", "pooled", [360, 480])
    assert {device: one["fps"] for device, one in chosen.items()} == {"CPU": 11.0, "GPU": 70.0}


def test_the_speeds_of_an_ablation_are_of_one_size_a_device(results):
    small, large = {"height": 360, "width": 480}, {"height": 512, "width": 1024}
    one, other = machine("A"), machine("B")
    one["rows"] = [timed("dab-none", "eager", 10.0, **small)]
    one["rows"] += [timed("dab-pooled", "eager", 100.0, **large)]
    other["rows"] = [timed("dab-none", "eager", 50.0, **small)]
    other["rows"] += [timed("dab-none", "eager", 200.0, **large)]
    other["rows"] += [timed("dab-pooled", "eager", 250.0, **large)]
    found = results(speed=[one, other], data={**results().data, "size": [360, 480]})
    frame = made(found, "ablation").set_index(["backbone", "calibration"]).loc["dab"]
    assert frame["FPS on A"].isna().tolist() == [False, True]
    assert frame["FPS on A"]["none"] == 100.0
    assert frame["FPS on B"].dropna().tolist() == [20.0]
    note = BY_NAME["ablation"].fill(found).note
    assert f"one image at a time (360 {TIMES} 480)" in note
    found = results(speed=[one, other], data={**results().data, "size": [1, 1]})
    frame = made(found, "ablation").set_index(["backbone", "calibration"]).loc["dab"]
    assert frame["FPS on B"].dropna().tolist() == [5.0, 4.0]  # where most were timed
    assert f"480 on A, 512 {TIMES} 1024 on B)" in BY_NAME["ablation"].fill(found).note


def test_speed_row_by_row(results):
    found = results()
    frame = made(found, "speed")
    rows = frame.query("device == 'GPU A'").set_index("runtime")
    auto = rows.loc["auto: compile"]
    assert (auto["network"], auto["image"]) == ("dab, pooled", f"512 {TIMES} 1024")
    assert (auto["median (ms)"], auto["median (ms) low"], auto["FPS"]) == (8.0, 7.0, 125.0)
    assert auto[f"{TIMES} published form"] == 5.0  # 40 ms against 8
    assert auto["same labels (%)"] == pytest.approx(99.995)
    assert rows["remark"].dropna().tolist() == ["out of memory"]
    marks = marked(found, "speed", "FPS")
    assert sorted(marks) == sorted(["best", "second", "", ""] * 2)
    assert made(found, "parts")["backbone (% of time)"].tolist() == [75.0, 75.0]
    machines = made(found, "machines")
    assert machines["fp32 GFLOP/s"].tolist() == [205.0, 205.0]
    skipped = "dab, pooled in openvino bf16 (runtime openvino is not installed)"
    assert machines["not timed"].tolist() == [skipped, skipped]


@pytest.mark.parametrize("network", ["lraspp", "erfnet", "brandnew", "pidnet_s-none", "x-y-z"])
def test_any_network_that_can_be_timed_is_shown(results, network):
    one = machine("CPU")
    one["rows"] = [timed(network, "eager", 20.0)]
    one["modules"] = [{**timed(network, "eager", 8.0), "shares": {"backbone": 100.0}}]
    one["skipped"] = [{"network": network, "form": "a", "precision": "b", "reason": "c"}]
    found = results(speed=[one])
    for name in ("speed", "parts"):
        assert made(found, name)["network"].iloc[0]
    assert all(table.markdown() and table.html() for table in shown(found))


def test_a_training_takes_all_its_steps(results):
    facts = dict(results().training)
    recipe = facts["recipe"] | {"epochs": 30, "batch": 2, "precision": "bf16"}
    facts["recipe"] = recipe
    step = timed("dab-pooled", "training", 500.0, batch=2, precision="bf16", recipe=recipe)
    longer = {**step, "network": "erfnet", "median_ms": 1500.0, "recipe": recipe | {"epochs": 9}}
    failed = {**step, "network": "enet-none", "reason": "out of memory"}
    failed |= dict.fromkeys(("median_ms", "p5_ms", "p95_ms", "fps"))
    other = {**step, "recipe": recipe | {"crop": [64, 64]}}
    more, fewer = machine("CPU"), machine("CPU", "training")
    fewer |= {"rows": [], "training": [step, longer, failed, other]}
    frame = made(results(speed=[more, fewer], main__training=facts), "training")
    assert frame["network"].tolist()[:2] == ["dab, pooled", "ERFNet with its decoder"]
    # Four frames in batches of two, thirty times: 60 steps of half a second.
    assert frame["minutes"].tolist() == pytest.approx([0.5, 1.5, float("nan")], nan_ok=True)
    assert frame["remark"].tolist()[2] == "out of memory"
    assert made(results(speed=[more]), "training").empty
    unknown = results(speed=[fewer], main__training=facts, data={"dataset": "camvid"})
    assert "minutes" not in made(unknown, "training")


def test_nothing_timed_is_said_and_every_other_table_stands(results, tmp_path):
    found = results(speed=[])
    speed = next(table for table in shown(found) if table.name == "speed")
    assert "No machine has been timed yet" in speed.markdown()
    names = [table.name for table in shown(found)]
    assert not {"parts", "machines"} & set(names)


def test_where_it_comes_from_and_the_recipe(results):
    facts = made(results(), "sources").set_index("what")
    assert facts.loc["commit"].tolist() == ["0123456789ab"] * 2
    assert facts.loc["torch"].tolist() == ["2.15.0"] * 2
    assert facts.loc["processes", "training"] == "2"
    recipe = made(results(), "recipe").set_index("parameter")["value"]
    assert (recipe["loss.keep"], recipe["seed"], recipe["crop"]) == ("0.0625", "7", "[360, 480]")


def test_attention_overall_and_by_class(results):
    overall = made(results(), "attention").iloc[0]
    assert (overall["gamma"], overall["constant (%)"]) == (0.12345, 40.0)
    by_class = made(results(), "attention_classes").set_index("coarse class")
    assert by_class["positions (%)"].to_dict() == {"road": 75.0, "sky": 25.0}
    note = BY_NAME["attention"].fill(results()).note
    assert "as many as 2.7 that count alike" in note  # e to the entropy of 1 nat


def test_what_to_pick_is_the_most_accurate_that_holds_the_rate(results):
    """The ablation has dab at 50, dab pooled at 51.25, erf at 60, erf pooled at 59.5 % mIoU."""
    small = {"height": 360, "width": 480}

    def row(network, fps, form="eager", **others):
        return timed(network, form, 1000 / fps, **{**small, **others})

    rows = [
        row("erf-none", 8.0), row("erf-none", 11.0, "openvino"), row("erf-pooled", 10.5),
        row("dab-none", 40.0), row("dab-pooled", 25.0),
        row("dab-pooled", 35.0, "openvino", precision="bf16", agreement=0.9995),
        row("erf-none", 99.0, "openvino", precision="int8", agreement=0.97),  # other labels
        row("erf-none", 50.0, height=64, width=64), row("erf-none", 50.0, batch=8),
        row("lraspp", 300.0),  # not of this ablation
    ]  # fmt: skip
    found = results(speed=[{**machine("CPU"), "rows": rows}])
    frame = made(found, "pick")
    assert set(frame["device"]) == {"CPU"}
    assert set(frame["image"]) == {f"360 {TIMES} 480"}
    chosen = listed(frame, "FPS wanted", "network", "runtime", "precision", "mIoU (%)", "FPS")
    assert chosen.to_numpy().tolist() == [
        [5, "erf, no calibration", "openvino", "fp32", 60.0, pytest.approx(11)],
        [10, "erf, no calibration", "openvino", "fp32", 60.0, pytest.approx(11)],
        [20, "dab, pooled", "openvino", "bf16", 51.25, pytest.approx(35)],
        [30, "dab, pooled", "openvino", "bf16", 51.25, pytest.approx(35)],
        [60, None, None, None, None, None],
    ]
    nothing = "nothing holds it; the fastest is dab, no calibration: 40.0"
    assert frame["remark"].tolist()[-1] == nothing
    assert "FPS wanted" in BY_NAME["pick"].fill(found).markdown()
    assert made(dataclasses.replace(found, speed=[]), "pick").empty
