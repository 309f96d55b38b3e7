"""Every key of params.yaml is one that DVC's -S writes to, and it changes nothing else."""

from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from eacnet.config.yaml12 import read_yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "params.yaml").read_text()


def flat(node: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(node, dict):
        return {path: node}
    children = (flat(child, f"{path}.{name}".strip(".")) for name, child in node.items())
    return {key: value for child in children for key, value in child.items()}


@pytest.fixture
def path(tmp_path) -> Path:
    file = tmp_path / "params.yaml"
    file.write_text(TEXT)
    return file


def test_every_key_takes_a_value_of_its_own(path):
    """Keys that share a value behind an anchor would end with the same one, or with none."""
    wanted = {key: 10_000 + number for number, key in enumerate(flat(read_yaml(path)))}
    assert len(wanted) > 150
    apply_overrides(path, [f"{key}={value}" for key, value in wanted.items()])
    assert flat(read_yaml(path)) == wanted


@pytest.mark.parametrize("key", ["seed", "recipes.camvid.epochs", "benchmarks.full.seconds"])
def test_a_key_that_is_set_changes_its_line_alone(path, key):
    apply_overrides(path, [f"{key}=12345"])
    pairs = zip(TEXT.splitlines(), path.read_text().splitlines(), strict=True)
    (changed,) = [new for old, new in pairs if old != new]
    assert f"{key.rpartition('.')[2]}: 12345" in changed


def test_a_key_that_is_set_there_and_back_changes_nothing(path):
    for value in ("seed=2", "seed=1"):
        apply_overrides(path, [value])
    assert path.read_text() == TEXT
