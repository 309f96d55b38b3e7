"""params.yaml is read as DVC reads it; what DVC shows is the truth here."""

import math

import pytest
from dvc.utils.serialize import load_yaml
from yaml import YAMLError

from eacnet.config.yaml12 import read_yaml

WORDS = "1e-3 on off yes no True TRUE tRue ~ null Null 0o17 017 0x1F 0b11 08 1_000 12:30 1. .5 1e"
NUMBERS = ".5e3 .5e+3 1e5 -1.5E-3 .inf -.inf .nan -0x1f 0b2 00 0 -0 1.5.2 5e+3 +.5 -.5 1e3_ _1 0_7"
SCALARS = [*WORDS.split(), *NUMBERS.split(), '"1"', "'on'"]


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_is_what_dvc_takes_it_for(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(f"a: {text}\nb:\n- {text}\n- x\n")
    ours, theirs = read_yaml(path), load_yaml(path)
    assert type(ours["a"]) is type(theirs["a"])
    assert ours == theirs or math.isnan(ours["a"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a: 1\nb: 2\na: 3", "key 'a' is there twice"),
        ("a: {b: 1, b: 1}", "key 'b' is there twice"),
        ("a: [{b: 1}, {c: 1, c: 2}]", "key 'c' is there twice"),
        ("a: &x 1\nb: *x", "alias"),
        ("a: &x {c: 1}\nb: {<<: *x}", "alias"),
        ("[a]: 1", "a key is no plain word"),
        ("a: -_", "'-' is no whole number"),
        ("a: ._", "'._' is no number"),
        ("a: !!float abc", "'abc' is no number"),
        (f"a: {'9' * 5000}", "is no whole number"),
    ],
)
def test_what_dvc_would_not_write_to_is_refused(tmp_path, text, what):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(YAMLError, match=what):
        read_yaml(path)
