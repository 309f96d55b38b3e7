"""What DVC watches: every file of code that can change what a stage writes."""

import ast
from pathlib import Path

import pytest
from dvc.fs import localfs
from dvc.ignore import DvcIgnoreFilter
from ruamel.yaml import YAML

from eacnet.config.names import BACKBONES, BASELINES
from eacnet.training.fingerprint import ATTENTION, source_files

ROOT = Path(__file__).parents[2]
FILES = (ROOT / "dvc.yaml", ROOT / "stages/ablation/dvc.yaml")
STAGES = {
    name: stage for file in FILES for name, stage in YAML(typ="safe").load(file)["stages"].items()
}
# Read, written and said, not computed: what goes wrong here is an error, or shows in the store.
PLUMBING = (
    "config",
    "datasets",
    "result_files",
    "errors.py",
    "files.py",
    "layout.py",
    "progress.py",
)
PLUMBING += ("provenance.py", "models/__init__.py", "models/checkpoint.py", "evaluation/scores.py")


def imported(file: Path) -> set[Path]:
    """Return the files of the package that a file imports."""
    names = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("eacnet"):
            names += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    paths = [ROOT.joinpath(*name.split(".")) for name in names]
    return {path.with_suffix(".py") for path in paths if path.with_suffix(".py").is_file()}


def computing(file: Path) -> set[str]:
    """Return all files behind a file, without the plumbing, relative to the package."""
    found, waiting = set(), {file}
    while waiting:
        one = waiting.pop()
        name = one.relative_to(ROOT / "eacnet").as_posix()
        if name not in found and not name.startswith(PLUMBING):
            found.add(name)
            waiting |= imported(one)
    return found


def watched(stage: str, **names: str) -> set[str]:
    """Return what DVC watches of the package for one backbone."""
    deps = STAGES[stage]["deps"]
    for name, value in names.items():
        deps = [dep.replace(f"${{{name}}}", value) for dep in deps]
    return {dep.removeprefix("eacnet/") for dep in deps if dep.startswith("eacnet/")}


@pytest.mark.parametrize(
    ("stage", "backbone"),
    [(stage, name) for stage in ("train", "ablation") for name in BACKBONES]
    + [("baseline", name) for name in BASELINES],
)
def test_all_that_can_change_the_trained_bits(stage, backbone):
    files = {*source_files(backbone), ATTENTION}
    found = watched(stage, **{"model.backbone": backbone, "item.backbone": backbone})
    assert files <= found


def test_all_that_can_change_what_is_prepared():
    assert computing(ROOT / "eacnet/data/prepare.py") <= watched("prepare")


def test_all_that_can_change_the_summary():
    assert computing(ROOT / "eacnet/evaluation/ablation.py") <= watched("summarise")


@pytest.mark.parametrize("stage", ["evaluate", "ablation"])
def test_all_that_can_change_what_is_counted(stage):
    found = watched(stage, **{"model.backbone": "dab", "item.backbone": "dab"})
    assert computing(ROOT / "eacnet/evaluation/evaluate.py") <= found


def test_git_takes_up_no_dataset_nor_a_link_to_one(project, tmp_path):
    raw = project.root / "data/raw"
    (raw / "folder/images").mkdir(parents=True)
    (raw / "folder/images/a.png").touch()
    (raw / "camvid").symlink_to(tmp_path)
    assert project.run("git", "status", "--porcelain").stdout == ""
    (raw / "README.md").touch()
    assert "data/raw/" in project.run("git", "status", "--porcelain").stdout


def test_dvc_sees_all_of_a_dataset_and_no_leftovers_of_the_code():
    ignored = DvcIgnoreFilter(localfs, str(ROOT)).is_ignored_file
    for folder in ("__pycache__", ".cache", ".venv"):
        assert not ignored(str(ROOT / "data/raw/folder/images/train" / folder / "a.png"))
    assert ignored(str(ROOT / "eacnet/datasets/__pycache__/folder.cpython-311.pyc"))
