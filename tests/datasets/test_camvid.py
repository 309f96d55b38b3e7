"""Fetching CamVid, on a small Git repository in its place."""

import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from eacnet.config.yaml12 import read_yaml
from eacnet.datasets.camvid import CONTENT, fetch, folder_md5
from eacnet.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path):
    """Return (path, its commit, the MD5 that DVC itself gives to its folder CamVid)."""
    root = tmp_path / "repository"
    for name in ("train/b.png", "train/a.png", "trainannot/a.png", "train-b.txt"):
        path = root / "CamVid" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / "README.md").write_text("not CamVid")
    git = ["git", "-C", root, "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "frames"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    tracked = tmp_path / "tracked"
    tracked.mkdir()
    subprocess.run(["cp", "-r", root / "CamVid", tracked], check=True)
    Repo.init(tracked, no_scm=True).add(str(tracked / "CamVid"))
    entry = read_yaml(tracked / "CamVid.dvc")["outs"][0]
    return root, head.stdout.strip(), entry["md5"].removesuffix(".dir")


def test_the_folder_arrives_and_stays(repository, tmp_path):
    source, revision, content = repository
    target = tmp_path / "raw" / "camvid"
    fetch(target, str(source), revision, content)
    names = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    assert names == ["train-b.txt", "train/a.png", "train/b.png", "trainannot/a.png"]
    assert (target / "train/b.png").read_text() == "train/b.png"
    assert folder_md5(target) == content
    fetch(target, "/nowhere", revision, content)
    assert [path.name for path in target.parent.iterdir()] == ["camvid"]


@pytest.mark.parametrize("name", ["train/a.png", "train/new.png"])
def test_a_folder_of_other_frames_is_neither_taken_nor_touched(name, repository, tmp_path):
    source, revision, content = repository
    target = tmp_path / "camvid"
    fetch(target, str(source), revision, content)
    (target / name).write_text("changed")
    with pytest.raises(InputError, match=r"is not the CamVid that this project knows.*move it"):
        fetch(target, str(source), revision, content)
    assert (target / name).read_text() == "changed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "/nowhere"}, "from /nowhere .No git repository was found at /nowhere.; check"),
        ({"revision": "0" * 40}, "can't be fetched from .*check the network, or copy"),
        ({"content": "0" * 32}, "gave other files than the CamVid"),
    ],
)
def test_what_can_not_be_had_leaves_nothing(change, message, repository, tmp_path):
    source, revision, content = repository
    how = {"source": str(source), "revision": revision, "content": content} | change
    with pytest.raises(InputError, match=message) as caught:
        fetch(tmp_path / "raw" / "camvid", **how)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "raw").iterdir()) == []


def test_the_pinned_content_is_that_of_the_public_dataset():
    copy = ROOT.parent / "shared/camvid"
    if not copy.is_dir():
        pytest.skip(f"no copy of CamVid at {copy}")
    assert folder_md5(copy) == CONTENT
