import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from eacnet.errors import InputError, exit_on_error
from eacnet.progress import progress


def fail(error):
    raise error


@pytest.mark.parametrize(
    ("main", "line"),
    [
        (lambda: fail(InputError("a is b")), "error: a is b"),
        (lambda: fail(KeyboardInterrupt()), "error: interrupted; nothing half-written was kept"),
        (
            lambda: fail(OSError(errno.ENOSPC, "No space left", "a.npy")),
            "error: disk full while writing a.npy",
        ),
        (lambda: os.open("/no/such\nfile", 0), "error: /no/such\\nfile: No such file or directory"),
        (lambda: os.open(b"/proc/\xff", 0), "error: /proc/\\udcff: No such file"),
        (lambda: "\udcff.png".encode(), "error: '\\udcff.png' holds bytes that are no text"),
        (
            lambda: f"{'a' * 99}\udcff{'b' * 99}".encode(),
            f"error: '{'a' * 40}\\udcff{'b' * 40}' holds bytes that are no text in utf-8",
        ),
        (lambda: fail(OSError("no number")), "error: no number"),
        (lambda: fail(RuntimeError("[enforce fail] unexpected pos 64 vs 0")), "error: disk full"),
        (
            lambda: importlib.import_module("nothing_of_that_name.at_all"),
            "error: nothing_of_that_name is not installed: pip install eacnet[pipeline]",
        ),
        (lambda: np.empty(10**15), "error: out of memory (Unable to allocate 7.11 PiB"),
        (lambda: torch.empty(10**15), "error: out of memory ([enforce fail at alloc_cpu"),
        (
            lambda: fail(torch.OutOfMemoryError("CUDA out of memory.\nTried")),
            "error: out of memory (CUDA out of memory. Tried); a smaller batch",
        ),
    ],
)
def test_what_can_be_explained_gets_one_line(main, line, monkeypatch):
    with pytest.raises(SystemExit) as caught:
        exit_on_error(main)
    assert caught.value.code.startswith(line)
    assert "\n" not in caught.value.code
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit) as caught:
        exit_on_error(main)
    assert caught.value.code == 1


@pytest.mark.parametrize("processes", [None, "", "1", "abc"])
def test_a_rank_that_was_left_over_silences_nothing(monkeypatch, processes):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("LOCAL_RANK", "1")
    if processes is not None:
        monkeypatch.setenv("WORLD_SIZE", processes)
    with pytest.raises(SystemExit, match="error: a is b"):
        exit_on_error(lambda: fail(InputError("a is b")))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a bug"),
        KeyError("k"),
        ModuleNotFoundError("a module of ours", name="eacnet.gone"),
    ],
)
def test_what_is_the_codes_own_fault_keeps_its_traceback(error):
    with pytest.raises(type(error)):
        exit_on_error(lambda: fail(error))


def typed(script, **options):
    """Run a script that ends in `exit_on_error` in a process of its own."""
    code = f"from eacnet.errors import *\ndef main():\n    {script}\nexit_on_error(main)"
    env = {**os.environ, **options.pop("env", {})}
    return subprocess.Popen([sys.executable, "-c", code], env=env, **options)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_name_can_be_printed_in_every_encoding(encoding):
    process = typed(
        "print('Stra\\xdfe \\u9053 \\udcff'); raise InputError('\\u9053\\n\\x1b[31m')",
        env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.communicate()
    assert (process.returncode, out[:4]) == (1, b"Stra")
    assert b"Traceback" not in err
    assert err.count(b"\n") == 1
    assert b"\\n\\x1b[31m" in err


def test_a_reader_that_goes_away_is_no_error():
    process = typed(
        "[print('x' * 1000) for _ in range(1000)]",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141


def test_at_the_end_no_garbage_is_collected():
    code = "import atexit, gc; atexit.register(lambda: print(gc.isenabled()))"
    code += "\nfrom eacnet.errors import *\nexit_on_error(lambda: print(gc.isenabled()))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.stdout.split() == ["True", "False"]


def test_what_is_only_not_checked_has_an_exit_code_of_its_own():
    process = typed("raise NotCheckedError('no weights')", stderr=subprocess.PIPE)
    _, err = process.communicate()
    assert (process.returncode, err) == (3, b"error: no weights\n")


PROGRESS = "from eacnet.progress import progress; [print(i) for i in progress([1, 2], disable=0)]"


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_without_standard_error_the_work_is_done_all_the_same(closed):
    code = f"from eacnet.errors import *\ndef main(): {PROGRESS}; print(3, file=sys.stderr)"
    shell = f'"{sys.executable}" -c "$CODE" {closed}'
    env = {**os.environ, "CODE": f"{code}\nexit_on_error(main)"}
    done = subprocess.run(["sh", "-c", shell], env=env, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, b"1\n2\n")


def test_progress_is_for_a_program_without_streams_too(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress([1, 2])) == [1, 2]


def test_a_folder_that_was_deleted_meanwhile_is_named(tmp_path):
    (tmp_path / "here").mkdir()
    shell = f'rmdir ../here; "{sys.executable}" -c "$CODE"'
    code = "from eacnet.errors import *\nexit_on_error(Path.cwd)"
    env = {**os.environ, "CODE": code, "PYTHONPATH": str(Path(__file__).parents[1])}
    run = ["sh", "-c", shell]
    done = subprocess.run(run, env=env, cwd=tmp_path / "here", stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: the folder that this runs in was deleted; change to")
