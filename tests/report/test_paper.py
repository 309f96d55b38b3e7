import csv
import io
from dataclasses import replace

import pytest

from eacnet.errors import InputError
from eacnet.report.pages.page import Run
from eacnet.report.tables.all_tables import ablation_table, own_networks, tables
from eacnet.report.tables.breakdown import band_table, class_table
from eacnet.report.tables.comparison import comparison, read_published
from eacnet.report.tables.table import Number, comma_separated
from eacnet.report.tables.timing import representative, speed_table, timings

DASH, MINUS, TIMES = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
SIZE = [360, 480]


def column(table, name):
    """Return a column as text: best between **, second between __."""
    index = list(table.columns).index(name)
    cells = [row[index] for row in table.rows]
    return [
        f"**{cell}**" if getattr(cell, "best", False)
        else f"__{cell}__" if getattr(cell, "second", False)
        else str(cell)
        for cell in cells
    ]  # fmt: skip


def published(method, miou, **others):
    row = {"method": method, "dataset": "camvid", "split": "test", "miou_percent": miou}
    row |= {"fps": "", "input_height": "360", "input_width": "480", "device": ""}
    return row | {"params_millions": "", "pretraining": "", "source": "a paper"} | others


def timing(device="CPU", **others):
    row = {"device": device, "backbone": "dab", "calibration": "pooled", "form": "eager"}
    row |= {"network": "dab-pooled", "classes": 19, "runtime": None}
    row |= {"precision": "fp32", "height": 360, "width": 480, "batch": 1, "scope": "label map"}
    return row | {"fps": 10.0, "median_ms": 100.0} | others


def network(calibration, miou, std=None, seeds=(1,)):
    entry = {"backbone": "dab", "calibration": calibration, "seeds": list(seeds)}
    entry |= {"miou": {"mean": miou, "std": std}, "parameters": 757_784}
    return entry | {"pretraining": "none", "source": "measured"}


def test_published_and_measured_by_hand():
    rows = [published("A", "66.72", fps="146", device="GTX"), published("B", "51.3"),
            published("C", "80", input_height="720", input_width="960"),
            published("D", "99", dataset="cityscapes")]  # fmt: skip
    own = [network("none", 60.0), network("pooled", 61.25, 0.5, (1, 2))]
    timed = [timing(), timing("GPU", fps=120.0)]
    data = {"dataset": "camvid", "size": SIZE}
    table = comparison(rows, own, timed, data, "test")
    pooled = "ours: dab, pooled"
    names = ["A", "B", "C", "ours: dab, no calibration", pooled, pooled]
    assert column(table, "method") == names
    # C has other labels, so it neither wins nor loses.
    second = "__61.25 ± 0.50__"
    assert column(table, "mIoU (%)") == ["**66.72**", "51.3", "80", "60.00", second, second]
    assert column(table, "FPS") == ["146", DASH, DASH, DASH, "10.0", "120.0"]
    assert column(table, "device") == ["GTX", DASH, DASH, DASH, "CPU", "GPU"]
    assert column(table, "timed")[-1] == f"label map, eager, 360 {TIMES} 480"
    assert column(table, "parameters (M)") == [DASH] * 3 + ["0.76"] * 3
    assert (
        column(table, "source")
        == ["a paper"] * 3 + ["measured"] + ["measured, mean of 2 seeds"] * 2
    )
    # Nothing is best among frame rates of different devices.
    rates = [row[list(table.columns).index("FPS")] for row in table.rows]
    assert not any(rate.best or rate.second for rate in rates)


def test_generated_scenes_are_shown_beside_cityscapes_but_not_ranked_with_it():
    rows = [published("A", "66.7", dataset="cityscapes"), published("B", "1.0")]
    data = {"dataset": "synthetic", "size": [128, 256]}
    table = comparison(rows, [network("none", 70.0)], [], data, "test")
    assert column(table, "mIoU (%)") == ["66.7", "70.00"]
    assert "do not compare" in table.note
    table = comparison(rows, [], [], {"dataset": "folder", "size": SIZE}, "test")
    assert not table.rows
    assert "no published figures" in table.note


def test_scores_of_two_splits_are_not_ranked_together():
    rows = [published(n, s, dataset="cityscapes") for n, s in (("A", "66.7"), ("B", "70.1"))]
    data = {"dataset": "cityscapes", "size": [1024, 2048]}
    table = comparison(rows, [network("none", 75.0)], [], data, "val")
    assert column(table, "mIoU (%)") == ["66.7", "**70.1**", "75.00"]
    assert "one dataset and split" in table.note


def test_the_timing_that_stands_for_a_network():
    rows = [
        timing(fps=9.0), timing(fps=11.0, form="openvino"), timing(fps=30.0, precision="bf16"),
        timing(fps=40.0, batch=8), timing(fps=50.0, scope="logits"), timing(calibration="none"),
        timing(height=512, width=1024, fps=60.0), timing("GPU", height=512, width=1024, fps=70.0),
        timing("GPU", height=64, width=64, fps=80.0), timing("TPU", fps=None),
    ]  # fmt: skip
    chosen = representative(rows, "dab", "pooled", SIZE)
    assert {device: row["fps"] for device, row in chosen.items()} == {"CPU": 11.0, "GPU": 70.0}


def test_timings_are_the_rows_of_all_machines(results):
    rows = timings(results().speed)
    assert [row["device"] for row in rows] == ["GPU A"] * 4 + ["CPU B"] * 4
    assert [row["form"] for row in rows] == ["published", "published", "auto", "eager"] * 2
    assert {row["classes"] for row in rows} == {19}


def test_speed_is_ranked_within_one_device_and_size_only():
    rows = [timing(fps=9.0, form="published"), timing(fps=18.0, form="auto", runtime="compile"),
            timing(fps=10.0, form="openvino"), timing("GPU", fps=99.0), timing(fps=99.0, batch=4),
            timing(fps=None, form="eager", reason="out of memory")]  # fmt: skip
    rows[1] |= {"agreement": 0.99999, "share_of_limit": 0.25, "peak_memory_mb": 80.4}
    table = speed_table(rows)
    assert column(table, "FPS") == ["9.0", "**18.0**", "__10.0__", "99.0", "99.0", DASH]
    assert column(table, "runtime")[:3] == ["published", "auto: compile", "openvino"]
    ratios = ["1.00", "2.00", "1.11", DASH, DASH, DASH]
    assert column(table, f"{TIMES} published form") == ratios
    assert column(table, "same labels (%)")[:2] == [DASH, "99.999"]
    assert column(table, "of the limit (%)")[1] == "25.0"
    assert column(table, "peak memory (MB)")[1] == "80"
    assert column(table, "remark") == [*[DASH] * 5, "out of memory"]
    assert "5th percentile (ms)" not in table.columns
    assert not speed_table([]).rows


def test_the_ablation_by_hand(ablation):
    for group in ablation["groups"]:
        if group["calibration"] == "none" or group["backbone"] == "erf":
            group |= {"parameters": None, "macs": None}
    table = ablation_table(ablation, [timing(fps=12.0), timing(fps=9.0, calibration="none")], SIZE)
    assert column(table, "mIoU") == ["50.00 ± 0.40", "**51.25 ± 0.30**", "**60.00**", "59.50"]
    gain = [DASH, "+1.25 ± 0.10 [+0.50, +2.00]", DASH]
    gain.append(f"{MINUS}0.50 [{MINUS}1.50, +0.50]")
    assert column(table, "gain in mIoU") == gain
    assert column(table, "verdict") == [DASH, "significant", DASH, "not significant"]
    assert column(table, "boundary F1") == [DASH, "51.25 ± 0.30", "**60.00**", "59.50"]
    assert column(table, "parameters (M)") == [DASH, "0.758", DASH, DASH]
    assert column(table, "MACs (G)") == [DASH, "4.50", DASH, DASH]
    assert column(table, "FPS on CPU") == ["9.0", "**12.0**", DASH, DASH]
    assert "gain in boundary F1" not in table.columns
    assert f"MACs of one image of 360 {TIMES} 480." in table.note
    assert "95 % interval" in table.note


def test_classes_and_bands_take_the_ablation_where_it_tells(evaluation, ablation):
    plain, calibrated = ablation["groups"][:2]
    ablation["groups"] = [plain, calibrated]
    plain["class_iou"] = {"road": {"mean": 70.0, "std": 1.0}, "sky": None, "train": None}
    calibrated["class_iou"] = {"road": {"mean": 71.0, "std": 1.0}, "sky": None, "train": None}
    calibrated["class_gain"] = {"road": {"mean": 1.0, "std": 0.1, "images": [0.5, 1.5]}}
    table = class_table(evaluation(True), ablation)
    assert column(table, "class") == ["road", "sky", "train", "mean"]
    assert column(table, "coarse") == ["62.50", "40.00", DASH, "51.25"]
    assert column(table, "calibrated") == ["**75.00**", "**50.00**", DASH, "**62.50**"]
    assert column(table, "dab, pooled") == ["**71.00 ± 1.00**", DASH, DASH, "**51.25 ± 0.30**"]
    gains = ["+1.00 ± 0.10 [+0.50, +1.50]", DASH, DASH, "+1.25 ± 0.10 [+0.50, +2.00]"]
    assert column(table, "gain of dab, pooled") == gains

    table = band_table(evaluation(False), ablation)
    assert column(table, "main network")[-1] == "62.50"
    assert column(table, "dab, no calibration") == ["50.00 ± 0.40"] * 4
    assert column(table, "gain of dab, pooled") == [DASH] * 3 + ["+1.25 ± 0.10 [+0.50, +2.00]"]


def test_our_networks_say_which_commit_measured_them(results):
    state = {"commit": "a" * 40, "date": "2026-01-02", "modified": []}
    fresh, tuned = {"init": None, "pretrained": None}, {"init": {"path": "dab.safetensors"}}
    runs = {
        ("dab", "none"): [Run(fresh, {"code": state}), Run(tuned, {"code": state})],
        ("dab", "pooled"): [Run({"pretrained": ["stem"]}, {"code": {"commit": None}})],
    }
    shown = own_networks(replace(results(), runs=runs))
    origins = [(entry["pretraining"], entry["source"]) for entry in shown]
    assert origins == [
        ("dab.safetensors, none", f"measured on commit {'a' * 12} (2026-01-02)"),
        ("ImageNet", "measured"),
        (DASH, "measured"),
        (DASH, "measured"),
    ]
    shown = results()
    shown.training["backbone"] = "enet"
    last = own_networks(shown)[-1]
    assert (last["backbone"], last["miou"]["mean"]) == ("enet", pytest.approx(62.5))
    assert last["source"] == "measured on commit 0123456789ab"


def test_csv_holds_what_the_table_shows(ablation):
    ablation["groups"][1]["gain"]["miou"]["images"] = [0.5, 2.0]
    table = ablation_table(ablation, [], SIZE)
    first, second, *_ = list(csv.DictReader(io.StringIO(comma_separated(table))))
    assert first["mIoU"] == "50.0"
    assert first["mIoU std"] == "0.4"
    # What is missing is an empty field: programs would take a dash for text, and a 0 for a figure.
    assert first["gain in mIoU"] == first["gain in mIoU low"] == ""
    assert [second[f"gain in mIoU{part}"] for part in ("", " std", " low", " high")] == [
        "1.25", "0.1", "0.5", "2.0"
    ]  # fmt: skip


def test_all_tables_have_rows_of_one_width(results):
    for calibrated in (True, False):
        made = tables(results(calibrated, published=[published("A", "1.5")]))
        assert [table.name for table in made] == [
            "ablation", "differences", "wins", "classes", "bands", "comparison", "speed"
        ]  # fmt: skip
        for table in made:
            assert {len(row) for row in table.rows} == {table.width}
            assert all(isinstance(cell, str | Number) for row in table.rows for cell in row)
            assert "None" not in table.markdown()
            assert "nan" not in table.markdown().split("| ---")[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing"),
        ("method,dataset\n", "missing column device"),
        ("HEAD\nA,camvid,test,many,,,,,,,x\n", "line 2"),
    ],
)
def test_broken_published_figures_are_refused(tmp_path, text, message):
    path = tmp_path / "published.csv"
    head = "method,dataset,split,miou_percent,fps,input_height,input_width,device"
    if text is not None:
        path.write_text(text.replace("HEAD", f"{head},params_millions,pretraining,source"))
    with pytest.raises(InputError, match=message):
        read_published(path)
