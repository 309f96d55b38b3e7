import os
import threading
from pathlib import Path

import pytest

from eacnet.training import trained as module
from eacnet.training.trained import FILES, Store


@pytest.fixture
def finished(tmp_path):
    """Return a function: text, bytes of weights -> (weights, results) of a finished training."""

    def write(text: str, size: int = 10) -> tuple[Path, Path]:
        results = tmp_path / text
        results.mkdir()
        weights = results / "main.safetensors"
        weights.write_bytes(b"w" * size)
        for name in FILES[1:]:
            (results / name).write_text(text)
        return weights, results

    return write


def test_what_was_put_is_taken_as_it_was(tmp_path, finished):
    store = Store(tmp_path / "store", 10_000)
    weights, results = finished("one")
    assert not store.has("a")
    store.put("a", weights, results)
    assert store.has("a")
    taken = tmp_path / "other/main.safetensors", tmp_path / "other/main"
    store.take("a", *taken)
    assert taken[0].read_bytes() == weights.read_bytes()
    assert [(taken[1] / name).read_text() for name in FILES[1:]] == ["one", "one"]


def test_a_training_that_is_not_whole_is_none(tmp_path, finished):
    store = Store(tmp_path / "store", 10_000)
    store.put("a", *finished("one"))
    (tmp_path / "store/a" / FILES[0]).unlink()
    for _ in range(2):
        assert not store.has("a")
    # Who asks for the folder alone, as --status does, is not told that it is finished.
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["a.damaged"]
    store.put("a", *finished("two"))
    assert store.has("a")


def test_an_entry_of_another_training_is_none(tmp_path, finished, capsys):
    store = Store(tmp_path / "store", 10_000)
    store.put("a", *finished("one"))
    (tmp_path / "store/a").rename(tmp_path / "store/b")
    assert not store.has("b")
    assert "is damaged, so this network is trained anew" in capsys.readouterr().out


def test_who_waits_for_another_training_says_so(tmp_path, capsys):
    store, entered = Store(tmp_path / "store", 10_000), threading.Event()

    def wait():
        with store.only_one("a"):
            entered.set()

    with store.only_one("a"):
        other = threading.Thread(target=wait)
        other.start()
        assert not entered.wait(0.5)
    other.join(10)
    assert entered.is_set()
    assert capsys.readouterr().err == ("another process trains the same network; waiting for it\n")


def test_what_other_processes_do_meanwhile_fails_no_training(tmp_path, finished, monkeypatch):
    store = Store(tmp_path / "store", 1)
    store.put("a", *finished("one"))
    half = tmp_path / "store/.b.abcdef-1-0.tmp"  # what another process is about to put
    half.mkdir()
    (half / FILES[0]).write_text("half")
    (tmp_path / "store/c").mkdir()
    size = module._size

    def dropped_meanwhile(folder):
        if folder.name == "c" and folder.exists():
            folder.rmdir()
            raise FileNotFoundError(folder)
        return size(folder)

    monkeypatch.setattr(module, "_size", dropped_meanwhile)
    store.put("d", *finished("two"))
    assert {path.name for path in (tmp_path / "store").iterdir()} == {half.name, "d"}
    with pytest.raises(FileNotFoundError):
        store.take("a", tmp_path / "x/w", tmp_path / "x")


def test_the_longest_unused_go_first_and_never_the_newest(tmp_path, finished):
    store = Store(tmp_path / "store", 3_200)
    for age, name in enumerate("ab"):
        store.put(name, *finished(name * 2, 1_000))
        os.utime(tmp_path / "store" / name, (age, age))
    store.take("a", tmp_path / "x/w", tmp_path / "x")
    store.put("c", *finished("cc", 1_000))
    assert [store.has(name) for name in "abc"] == [True, False, True]
    store.put("d", *finished("dd", 9_000))
    assert [store.has(name) for name in "acd"] == [False, False, True]
