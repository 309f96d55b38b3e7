import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eacnet.errors import InputError
from eacnet.result_files import SCHEMAS, read_result

REPORTS = Path(__file__).parents[1] / "reports"
KINDS = {
    "training": "synthetic/main/training.json",
    "evaluation": "synthetic/main/evaluation.json",
    "metrics": "synthetic/main/metrics.json",
    "summary": "synthetic/metrics.json",
    "ablation": "synthetic/ablation.json",
    "attention": "synthetic/main/attention.json",
    "speed": "speed/amd-epyc-2-cores-quick.json",
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_every_committed_report_is_read():
    read = 0
    for path in REPORTS.rglob("*.json"):
        kind = path.stem if path.stem in SCHEMAS else "speed"
        if path.stem == "metrics" and not (path.parent / "evaluation.json").exists():
            kind = "summary"
        if path.stem != "counts":
            assert read_result(path, kind) == json.loads(path.read_text(encoding="utf-8"))
            read += 1
    assert read > 40


def places(content):
    """Yield (container, key) of every value."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in pairs:
        yield content, key
        if isinstance(value, (dict, list)):
            yield from places(value)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_stands_in_a_file_it_is_read_or_refused_in_one_line(kind, data, tmp_path):
    content = json.loads((REPORTS / KINDS[kind]).read_text(encoding="utf-8"))
    node, key = data.draw(st.sampled_from(list(places(content))))
    node[key] = data.draw(ANYTHING)
    path = tmp_path / f"{kind}.json"
    text = json.dumps(content)
    path.write_text(text, encoding="utf-8")
    refusal = None
    try:
        # NaN and infinity never get through, wherever they stand.
        assert json.dumps(read_result(path, kind), allow_nan=False) == text
    except InputError as error:
        refusal = str(error)
    assert refusal is None or (refusal.startswith(str(path)) and "\n" not in refusal)


@pytest.mark.parametrize("kind", SCHEMAS)
@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "{}", "[]", "null", "3", '"x"', "NaN", '{"miou": 1e999}', "[" * 100_000),
        *("9" * 5000, "\ufeff{}", '{"a": Infinity}'),
    ],
)
def test_what_is_no_such_file_is_refused(kind, text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.json"):
        read_result(path, kind)


@pytest.mark.parametrize(
    ("kind", "keys", "value", "message"),
    [
        ("evaluation", ["miou"], 140.0, "key miou is 140.0; allowed: less than or equal to 100"),
        ("evaluation", ["miou"], "26", "key miou is '26'; allowed: a valid number"),
        ("evaluation", ["frames"], 2.5, "key frames is 2.5; allowed: a valid integer"),
        ("evaluation", ["bands", "5", "miou"], True, "key bands.5.miou is True"),
        ("evaluation", ["confusion"], [[1]], "confusion is no matrix of 19 by 19 classes"),
        ("training", ["seed"], -1, "key seed is -1"),
        ("training", ["recipe", "epochs"], None, "key recipe.epochs is None"),
        (
            "ablation",
            ["groups", 1, "gains", "none", "miou", "mean"],
            "x",
            "key groups.1.gains.none.miou.mean is",
        ),
        ("ablation", ["groups", 1, "gains", "none", "miou", "std"], "text", "key groups.1.gains"),
        ("ablation", ["groups", 1, "gains", "none", "class_iou", "car"], 1, "key groups.1.gains"),
        ("ablation", ["groups", 1, "bands", "5", "won"], -1, "key groups.1.bands.5.won is -1"),
        ("speed", ["rows", 0, "fps"], [1], "key rows.0.fps is [1]"),
        ("summary", ["ablation", "dab", "none"], "x", "key ablation.dab.none is 'x'"),
    ],
)
def test_a_wrong_value_is_named_by_file_and_key(kind, keys, value, message, tmp_path):
    content = json.loads((REPORTS / KINDS[kind]).read_text(encoding="utf-8"))
    node = content
    for key in keys[:-1]:
        node = node[key]
    node[keys[-1]] = value
    path = tmp_path / f"{kind}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_result(path, kind)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_key_that_is_asked_for_in_vain_is_named(tmp_path):
    content = json.loads((REPORTS / KINDS["training"]).read_text(encoding="utf-8"))
    del content["device"], content["recipe"]["batch"]
    path = tmp_path / "training.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    facts = read_result(path, "training")
    asked = {"device": lambda: facts["device"], "recipe.batch": lambda: facts["recipe"]["batch"]}
    for key, ask in asked.items():
        with pytest.raises(InputError) as caught:
            ask()
        assert str(caught.value) == f"{path}: key {key} is missing; `dvc repro -f` remakes it"
