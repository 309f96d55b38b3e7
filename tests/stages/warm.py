"""A Python that has imported PyTorch and DVC: processes forked from it begin without delay.

Importing them takes most of the time of a stage in a test, and a pipeline has a dozen stages.
`python warm.py server SOCKET` waits for calls; `python warm.py SOCKET -m MODULE ...` is such a call
and behaves like `python -m MODULE ...`: same folder, environment, streams and exit code. Only what
Python and PyTorch read as they start, PYTHONPATH and OMP_NUM_THREADS, is the server's.
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, NoReturn

IMPORTED = ("dvc.cli", "dvc.repo", "lightning_fabric", "matplotlib.pyplot", "pandas")
IMPORTED += ("matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "ruamel.yaml")
IMPORTED += ("jinja2", "PIL.PngImagePlugin", "pydantic", "safetensors.torch", "scipy.stats")
IMPORTED += ("tabulate", "torch", "torch._dynamo", "torchvision", "tqdm.auto", "yaml")
STREAMS = (0, 1, 2)


def serve(path: str) -> None:
    """Fork a process for each call, with nothing of this project imported, until stdin ends."""
    for name in IMPORTED:
        __import__(name)
    gc.freeze()  # or the first collection of each process would copy its pages
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forked
        while 0 not in select.select([listener, 0], [], [])[0]:
            caller, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                answer(caller)
            caller.close()


def answer(caller: socket.socket) -> NoReturn:
    """Run the module that a call names in a child, tell the caller how it ended, and end."""
    text, streams, _, _ = socket.recv_fds(caller, 1 << 20, len(STREAMS))
    child = os.fork()
    if child == 0:
        caller.close()
        become(json.loads(text), streams)
    _, status = os.waitpid(child, 0)
    caller.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(called: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be the process that was called for."""
    for stream, own in zip(streams, STREAMS, strict=True):
        os.dup2(stream, own)
        os.close(stream)
    # What Python knows of its former streams, such as whether one can seek in them, is wrong now.
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", errors="backslashreplace", buffering=1)
    os.chdir(called["folder"])
    os.environ.clear()
    os.environ.update(called["environment"])
    sys.path[0] = called["folder"]
    sys.argv = called["arguments"]
    code = 1
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code or 0
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
    # As at the end of a process, but for taking PyTorch to pieces, which lasts a second.
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError, OSError):
            stream.flush()
    os._exit(code)


def call(path: str, arguments: list[str]) -> int:
    """Let the server run a module; return its exit code, as a shell gives it."""
    called = {"arguments": arguments, "folder": str(Path.cwd()), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [json.dumps(called).encode()], STREAMS)
        code = int(server.recv(16))
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(sys.argv[2])
    else:
        sys.exit(call(sys.argv[1], sys.argv[3:]))
