import errno
import importlib
import os

import numpy as np
import pytest
import torch

from eacnet.errors import InputError, exit_on_error


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
    with pytest.raises(SystemExit) as caught:
        exit_on_error(main)
    assert caught.value.code == 1


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
