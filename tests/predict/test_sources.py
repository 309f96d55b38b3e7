import os
from pathlib import Path

import pytest

from eacnet.predict.sources import find_sources

OFFICIAL = "aachen_000000_000019_leftImg8bit"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a function that makes empty files and runs in their folder."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return make


def names(arguments, output="out"):
    sources, problems, _ = find_sources(arguments, Path(output))
    assert not problems
    return {str(source.path): source.name for source in sources}


def test_files_folders_and_globs_in_order(tree):
    tree("a/2.png", "a/1.JPG", "a/sub/3.png", "a/note.txt", "a/.hidden.png", "b.mp4", "c1.png")
    assert names(["a", "b.mp4", "c*.png"]) == {
        "a/1.JPG": "1",
        "a/2.png": "2",
        "a/sub/3.png": "sub/3",
        "b.mp4": "b",
        "c1.png": "c1",
    }
    sources, _, _ = find_sources(["a", "b.mp4"], Path("out"))
    assert [source.is_video for source in sources] == [False, False, False, True]


def test_one_stem_in_two_folders_gives_two_names(tree):
    tree("left/x.png", "right/x.png")
    assert names(["left", "right"]) == {"left/x.png": "left/x", "right/x.png": "right/x"}


def test_two_suffixes_of_one_stem_stay_in_the_names(tree):
    tree("x.png", "x.JPG", "y.png")
    assert names(["."]) == {"x.JPG": "x.JPG", "x.png": "x.png", "y.png": "y"}


@pytest.mark.parametrize(
    "files",
    [
        ["x.png", "x.jpg", "x.PNG", "x.mp4"],
        ["a/x.png", "b/x.png", "a/x.jpg", "x.png.jpg"],
        ["a/b/x.png", "c/b/x.png", "b/x.png"],
        ["a/x.png", "A/X.png"],
        ["a/X.png", "b/X.png"],
        [f"a/{OFFICIAL}.png", f"a/train-ids_{OFFICIAL}.png"],
    ],
)
def test_names_are_distinct_even_where_case_does_not_count(tree, files):
    tree(*files)
    for arguments in (files, ["."], sorted({file.split("/")[0] for file in files})):
        found = names(arguments)
        assert len(found) == len(files)
        assert len({name.casefold() for name in found.values()}) == len(files)
        sources = find_sources(arguments, Path("out"))[0]
        assert len({source.result("_labels.png").casefold() for source in sources}) == len(files)
        assert not any(name.startswith(("/", "..")) for name in found.values())


def test_a_file_that_is_meant_twice_is_taken_once(tree):
    root = tree("a/x.png")
    (root / "link.png").symlink_to(root / "a/x.png")
    assert names(["a", "a/x.png", "a/*.png", str(root / "a"), "link.png"]) == {"a/x.png": "x"}


def test_results_of_earlier_runs_are_no_input(tree):
    tree("x.png", "out/x_labels.png", "out/deep/y.png")
    assert names(["."]) == {"x.png": "x"}
    # Results beside their inputs: what is there is taken, and never overwritten.
    assert names(["out"]) == {"out/x_labels.png": "x_labels", "out/deep/y.png": "deep/y"}


def test_an_argument_that_means_nothing_is_named(tree):
    tree("a/note.txt", "table.csv")
    sources, problems, left = find_sources(["a", "table.csv", "b.png", "*.bmp"], Path("out"))
    assert not sources + left
    assert problems == [
        "a: no image or video in this folder",
        "table.csv: neither an image nor a video by its suffix '.csv'",
        "b.png: no such file or folder",
        "*.bmp: no such file or folder",
    ]


def test_files_that_are_not_taken_are_told(tree):
    tree("a/1.png", "a/2.heic", "a/in/3.avif", "a/.hidden", "b/4.png")
    sources, problems, left = find_sources(["a", "b"], Path("out"))
    assert [source.name for source in sources] == ["1", "4"]
    assert not problems
    assert [str(path) for path in left] == ["a/2.heic", "a/in/3.avif"]


def test_linked_folders_are_followed_once(tree):
    root = tree("a/1.png", "elsewhere/2.png")
    (root / "a/cam").symlink_to("../elsewhere")
    (root / "a/loop").symlink_to(".")
    assert names(["a"]) == {"a/1.png": "1", "a/cam/2.png": "cam/2"}


def test_links_that_lead_in_a_circle_are_told_of_as_other_files(tree):
    root = tree("a/1.png")
    for name in ("circle", "circle.png"):
        (root / "a" / name).symlink_to(name)
    sources, problems, left = find_sources(["a"], Path("out"))
    assert [str(source.path) for source in sources] == ["a/1.png", "a/circle.png"]
    assert not problems
    assert [str(path) for path in left] == ["a/circle"]
    assert names(["a/*"]) == {"a/1.png": "1"}


def test_a_folder_that_cannot_be_read_is_named(tree, monkeypatch):
    root = tree("a/1.png", "a/shut/2.png")
    scan = os.scandir

    def refusing(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    sources, problems, _ = find_sources([str(root / "a")], Path("out"))
    assert [source.name for source in sources] == ["1"]
    assert problems == [f"{root / 'a/shut'}: this folder can't be read (Permission denied)"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tree):
    tree("x[1].png", "x1.png")
    assert names(["x[1].png"]) == {"x[1].png": "x[1]"}


def test_what_may_not_be_looked_at_does_not_end_the_others(tree, monkeypatch):
    tree("1.png", "shut/2.png")
    look = os.stat

    def refusing(path, **how):
        if "shut/" in str(path):
            raise PermissionError(13, "Permission denied", path)
        return look(path, **how)

    monkeypatch.setattr(os, "stat", refusing)
    monkeypatch.setattr(Path, "stat", lambda path, **how: refusing(path, **how))
    sources, problems, _ = find_sources(["shut/2.png", "1.png", "x" * 5000], Path("out"))
    assert [source.name for source in sources] == ["1"]
    assert all(len(problem) < 250 and "\n" not in problem for problem in problems)
    assert problems[0].startswith("shut/2.png: ")
    assert problems[1].startswith("xxx")
