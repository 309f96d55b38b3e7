"""Where compiled libraries are kept, and when one that is there is not taken."""

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from eacnet.inference import compiled as module
from eacnet.inference.compiled import compiled


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that builds a library with a compiler that copies, and counts its runs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    source, runs = tmp_path / "code.cpp", tmp_path / "runs"
    source.write_text("int main;" * 50)
    script = tmp_path / "compiler"
    script.write_text(
        f"#!{sys.executable}\nimport sys, shutil\n"
        "if sys.argv[1] == '--version': print('copies 1.0'); sys.exit()\n"
        f"open({str(runs)!r}, 'a').write('x')\n"
        "shutil.copyfile(sys.argv[1], sys.argv[3])\n"
    )
    script.chmod(0o755)

    def make():
        library = compiled(source, [str(script)], "code")
        assert library.read_bytes()[:-32] == source.read_bytes()
        return library

    make.runs = lambda: len(runs.read_text())
    return make


def test_a_whole_library_is_kept_in_a_private_folder(build, tmp_path):
    assert build() == build()
    assert build.runs() == 1
    assert (tmp_path / "home/eacnet").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", [b"", b"int main", b"planted" * 100, None])
def test_a_damaged_library_is_built_again(build, damage):
    library = build()
    library.write_bytes(library.read_bytes()[:-1] if damage is None else damage)
    build()
    assert build.runs() == 2


def test_a_library_under_the_name_of_another_is_built_again(build, monkeypatch):
    one = build()
    monkeypatch.setattr(module, "_abilities", lambda: "flags : none of them")
    other = build()
    assert one != other
    shutil.copy(one, other)
    build()
    assert build.runs() == 3


def test_a_processor_of_the_same_name_that_can_do_other_things_has_its_own(build, monkeypatch):
    build()
    monkeypatch.setattr(module, "_abilities", lambda: "flags : none of them")
    build()
    assert build.runs() == 2


def test_a_library_that_others_can_write_to_is_built_again(build):
    library = build()
    library.chmod(0o777)
    build()
    assert build.runs() == 2


@pytest.mark.parametrize("why", ["writable by all", "a link", "a file", "of another user"])
def test_a_folder_that_is_not_ours_alone_is_not_used(build, tmp_path, monkeypatch, why):
    folder = tmp_path / "home/eacnet"
    folder.parent.mkdir()
    if why == "a file":
        folder.touch()
    elif why == "a link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777 if why == "writable by all" else 0o700)
    if why == "of another user":
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        monkeypatch.setattr(module, "_temporary_folder", lambda: temporary)
    library = build()
    assert library.parent != folder
    if folder.is_dir():
        assert not list(folder.iterdir())


def test_without_a_home_a_temporary_folder_serves(build, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(module.Path, "home", no_home)
    assert build().parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("value", ["cache", "", "./cache"])
def test_a_relative_folder_is_ignored(build, monkeypatch, tmp_path, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert build().parent == tmp_path / "me/.cache/eacnet"
    assert not (tmp_path / "cache").exists()


def test_threads_that_build_at_once_all_get_it(build):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: build(), range(8)))) == 1
    assert build.runs() == 1


def test_nothing_is_left_of_a_build_that_failed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Exception, match="non-zero exit status"):
        compiled(tmp_path / "none.cpp", [shutil.which("false")], "none")
    assert not list(tmp_path.rglob("*.so"))
