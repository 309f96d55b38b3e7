from eacnet.report.pages.attention import attention


def test_the_section_by_hand(results):
    text = attention(results(True).attention)
    assert "| gamma, the weight of what is added to the scores | 0.1235 |" in text
    assert "as many as 2.7 that count alike" in text  # e to the entropy of 1 nat
    assert "| one constant for each class and frame (%) | 40.0 |" in text.replace(
        "of its square: ", ""
    )
    rows = [line for line in text.splitlines() if line.startswith(("| road", "| sky", "| train"))]
    assert rows == ["| road | 75.0 | 50.0 | 90 | 120 |", "| sky | 25.0 | 50.0 | 90 | 120 |"]


def test_without_calibration_there_is_no_section(results):
    assert attention(results(False).attention) == ""
    assert attention(None) == ""


def test_a_calibration_without_attention_says_so():
    assert "`point` is no attention: there is nothing" in attention({"calibration": "point"})
