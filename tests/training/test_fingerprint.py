import shutil
from pathlib import Path

import pytest

from eacnet.training.fingerprint import PACKAGE, SOURCES, fingerprint, source_digest


@pytest.fixture
def package(tmp_path) -> Path:
    """A copy of the package in which a file may be changed."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "eacnet"))


def edited(package: Path, file: str, old: str, new: str) -> str:
    path = package / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return source_digest("dab", "pooled", package=package)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("training/losses.py", "import torch", "import torch\n\nCHANGED = 1"),
        ("models/backbones/dab.py", "stride = 8", "stride = 16"),
        ("data/samples.py", "IGNORED", "VOID"),
        ("models/attention.py", "scale=1.0", "scale=0.5"),
    ],
)
def test_code_that_can_change_the_bits_changes_the_digest(package, file, old, new):
    assert edited(package, file, old, new) != source_digest("dab", "pooled")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("training/losses.py", "import torch", "# a comment\nimport torch"),
        ("training/loop.py", '"""The training loop', '"""A training loop'),
        ("models/backbones/erf.py", "stride = 8", "stride = 16"),
        ("scenes/canvas.py", "import", "import math\nimport"),
        ("evaluation/scores.py", "import", "import math\nimport"),
        ("data/prepare.py", "import", "import math\nimport"),
    ],
)
def test_code_that_can_not_leaves_it(package, file, old, new):
    assert edited(package, file, old, new) == source_digest("dab", "pooled")


def test_a_network_that_is_built_from_another_depends_on_both(package):
    before = source_digest("erfnet", "none")
    edited(package, "models/backbones/erf.py", "stride = 8", "stride = 16")
    assert source_digest("erfnet", "none", package=package) != before


def test_weights_to_start_from_count_where_there_are_any(package):
    edited(package, "pretrained/imagenet.py", "import", "import math\nimport")
    digests = [
        [source_digest("resnet18", "pooled", name, each) for each in (PACKAGE, package)]
        for name in ("none", "imagenet")
    ]
    assert digests[0][0] == digests[0][1]
    assert len({*digests[0], *digests[1]}) == 3


def test_every_source_is_there():
    assert all((PACKAGE / name).is_file() for name in SOURCES)


def test_a_fingerprint_depends_on_every_part():
    parts = {"seed": 1, "recipe": {"epochs": 2}}
    assert fingerprint(**parts) == fingerprint(recipe={"epochs": 2}, seed=1)
    assert fingerprint(**parts) != fingerprint(**parts, data="a")
    assert fingerprint(**parts) != fingerprint(seed=1, recipe={"epochs": 3})
