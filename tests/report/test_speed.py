import re

import pytest

from eacnet.report.tables.speed import preferred, speed

DASH, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def machines(results):
    return results().speed


def table(text, heading):
    """Return the rows of the first table whose heading row holds `heading`, by column."""
    start = next(
        index
        for index, line in enumerate(text.splitlines())
        if line.startswith("|") and f" {heading} |" in line
    )
    lines = []
    for line in text.splitlines()[start:]:
        if not line.startswith("|"):
            break
        lines.append([cell.strip() for cell in line.strip("|").split("|")])
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def test_every_machine_has_its_tables(machines):
    text = speed(machines)
    assert re.findall(r"^### (.*)", text, re.MULTILINE) == ["GPU A", "CPU B"]
    assert text.count("| network | runtime | precision |") == 2
    assert "No machine" in speed([])


def test_rows_by_hand(machines):
    published, auto, lraspp, large = table(speed(machines), "median (ms)")
    small = f"512 {TIMES} 1024"
    assert auto == {
        "network": "dab, pooled",
        "runtime": "auto: compile",
        "precision": "fp32",
        "norms folded": "yes",
        "image": small,
        "median (ms)": "8.0",
        "p5 to p95 (ms)": "7.0 to 9.2",
        "FPS": "125.0",
        f"{TIMES} published": "5.00",  # 40 ms against 8
        "memory (MB)": "80",
        "params (M)": "0.758",
        "MACs (G)": "10.90",
        "at the limit (ms)": "106.3",
        "of the limit (%)": "53",
        "same labels (%)": "99.995",
        "rounds": "20",
    }
    assert published[f"{TIMES} published"] == "1.00"
    assert published["norms folded"] == "no"
    assert lraspp["network"] == "torchvision's LRASPP, MobileNetV3"
    assert lraspp[f"{TIMES} published"] == DASH
    assert large["image"] == f"1024 {TIMES} 2048"
    assert large["median (ms)"] == "out of memory"
    assert large["FPS"] == large["memory (MB)"] == large["norms folded"] == DASH
    assert large["params (M)"] == "0.758"


def test_what_stands_beside_the_tables(machines):
    text = speed(machines[:1])
    assert "205 GFLOP/s in fp32 and 850 GFLOP/s in bf16" in text
    assert "19 classes, random weights, 2 threads" in text
    assert "dab, pooled in openvino bf16 (runtime openvino is not installed)" in text
    (shares,) = table(text, "calibration")
    assert (shares["backbone"], shares["calibration"]) == ("75.0", "25.0")


def test_another_published_form_at_the_same_size_is_no_yardstick(machines):
    rows = machines[0]["rows"]
    rows[1] = {**rows[1], "batch": 2}
    auto = next(row for row in table(speed(machines), "median (ms)") if "auto" in row["runtime"])
    assert auto[f"{TIMES} published"] == DASH


def test_a_full_result_is_preferred_wherever_it_stands():
    def of(device, plan):
        return {"machine": {"device": device}, "plan": plan}

    full, quick, other = of("A", "full"), of("A", "quick"), of("B", "quick")
    assert preferred([full, quick, other]) == [full, other]
    assert preferred([quick, other, full]) == [full, other]
    assert preferred([]) == []
