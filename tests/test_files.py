import ast
import errno
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eacnet.errors import InputError, explained
from eacnet.files import (
    checksum,
    read_json,
    replacing,
    replacing_folder,
    set_aside,
    write_json,
    write_text,
)
from eacnet.leftovers import HOST


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "scores.json"
    write_json(target, {"miou": 1})
    with pytest.raises(ZeroDivisionError), replacing(target) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert read_json(target) == {"miou": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_folder_leaves_the_old_folder_and_nothing_else(tmp_path):
    target = tmp_path / "store"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(FileNotFoundError), replacing_folder(target, ["*"]) as temporary:
        (temporary / "new").mkdir(parents=True) or (temporary / "none" / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["store", "old"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for name in ("first", "second"):
        with replacing_folder(tmp_path / "store", ["first", "second"]) as temporary:
            temporary.mkdir()
            (temporary / name).touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["store", "second"]


def test_an_error_of_the_disk_names_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(OSError, match="No space") as caught, replacing(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "a")
    assert str(caught.value) == f"[Errno {errno.ENOSPC}] No space left on device: '{tmp_path}/a'"
    # A library's own words: a name beside them would take their place.
    with pytest.raises(OSError, match=r"^encoder error$"), replacing(tmp_path / "a"):
        raise OSError("encoder error")


def test_a_missing_or_broken_json_gets_one_line(tmp_path):
    with pytest.raises(InputError, match="dvc repro"):
        read_json(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"miou": ')
    with pytest.raises(InputError, match="no valid JSON"):
        read_json(tmp_path / "half.json")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for read in (read_json, checksum):
        for path in (tmp_path / "pipe.json", tmp_path):
            with pytest.raises(InputError, match=rf"{path.name} is no regular file"):
                read(path)


def test_json_never_holds_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"miou": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_checksum_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert checksum(path).startswith("ba7816bf8f01cfea414140de5dae2223")
    with pytest.raises(InputError, match="none is missing"):
        checksum(tmp_path / "none")


@pytest.fixture
def precious(tmp_path):
    """A folder with a file that nobody wants to lose."""
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    return folder


@pytest.mark.parametrize("suffix", ["", "/", "/.", "/../precious"])
def test_a_file_takes_no_folders_place(precious, suffix):
    with pytest.raises(InputError, match="is a folder"):
        write_text(Path(f"{precious}{suffix}"), "x")
    assert (precious / "thesis.tex").read_text() == "mine"


def test_links_are_replaced_and_what_they_point_at_stays(precious, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(precious / "thesis.tex")
    write_text(link, "new")
    assert (link.is_symlink(), link.read_text()) == (False, "new")
    folder = tmp_path / "to a folder"
    folder.symlink_to(precious)
    for write in (replacing(folder), replacing_folder(folder, ["*"])):
        with pytest.raises(InputError, match="folder"), write:
            pass
    assert (precious / "thesis.tex").read_text() == "mine"


def test_a_folder_takes_the_place_of_its_own_files_alone(precious):
    with (
        pytest.raises(InputError, match=r"holds thesis\.tex"),
        replacing_folder(precious, ["*.md"]),
    ):
        pass
    with replacing_folder(precious, ["*.tex"]) as temporary:
        temporary.mkdir()
    assert not list(precious.iterdir())


@pytest.mark.parametrize("inner", ["figures/mine.png", "a/b/mine.npy", "b.npy"])
def test_a_pattern_holds_for_its_own_depth_alone(tmp_path, inner):
    path = tmp_path / "store" / inner
    path.parent.mkdir(parents=True)
    path.touch()
    writing = replacing_folder(tmp_path / "store", ["*.png", "*/*.npy"])
    with pytest.raises(InputError, match=f"holds {inner}"), writing:
        pass
    assert path.exists()


@pytest.mark.parametrize("path", ["/", ".", "..", "/dev/null", "/proc/x", "file/x", "file/x/y"])
def test_where_no_file_can_be_one_line_says_so(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises((InputError, OSError)) as caught:
        write_text(Path(path), "x")
    assert "\n" not in explained(caught.value)
    assert Path("/dev/null").is_char_device()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    name = "ä" * 127 + "x"
    write_text(tmp_path / name, "long")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_threads_that_write_one_file_leave_one_whole_file(tmp_path):
    texts = [str(number) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_text(tmp_path / "a", text), texts))
    assert (tmp_path / "a").read_text() in texts
    assert len(list(tmp_path.iterdir())) == 1


def test_what_dead_processes_left_is_removed(tmp_path):
    process = subprocess.Popen(["true"])
    process.wait()
    dead = [
        tmp_path / f".store.{HOST}-{process.pid}-0.tmp",
        tmp_path / f".a.{HOST}-{process.pid}-3.tmp",
    ]
    dead[0].mkdir()
    (dead[0] / "half").touch()
    dead[1].touch()
    # Of a process that lives, of another machine, and the user's own.
    others = [f".a.{HOST}-{os.getppid()}-0.tmp", f".a.{'0' * 6}-{process.pid}-3.tmp"]
    others += [".notes.tmp", f".backup.{process.pid}.tmp"]
    for name in others:
        (tmp_path / name).touch()
    write_text(tmp_path / "b", "x")
    assert {path.name for path in tmp_path.iterdir()} == {*others, "b"}


NAME = "from eacnet.leftovers import *; print(temporary_name(Path('a')).name.split('-'))"


def named(*before):
    """The host, process and end of a temporary name that a process of its own chooses."""
    command = [*before, sys.executable, "-c", NAME]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout)


def test_processes_of_one_number_choose_different_names():
    assert named()[2] != named()[2]
    assert named()[0] == named()[0] == f".a.{HOST}"


def test_a_process_number_is_one_of_its_namespace():
    inner = ("unshare", "--user", "--fork", "--pid")
    if shutil.which("unshare") is None or subprocess.run([*inner, "true"], check=False).returncode:
        pytest.skip("no PID namespaces here")
    host, pid, _ = named(*inner)
    assert (host != f".a.{HOST}", pid) == (True, "1")


def test_a_damaged_file_is_set_aside(tmp_path):
    for content in ("first", "second"):
        (tmp_path / "a.pt").write_text(content)
        assert set_aside(tmp_path / "a.pt").read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.damaged"]
