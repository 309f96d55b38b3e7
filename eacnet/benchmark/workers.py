"""One process for each thing that is timed, so that its memory is its own and it may fail alone."""

import importlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from eacnet.benchmark.latency import timed
from eacnet.benchmark.peak_memory import PeakMemory, limit_memory
from eacnet.errors import OUT_OF_MEMORY

# Processes are forked from one that has imported PyTorch and what has started no thread, no CUDA.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["torch", "torchvision", "onnxscript", "eacnet.benchmark.build"])

PATIENCE = 10  # seconds
# Behind a pass its OpenMP threads wait busily for milliseconds, on the cores that the next pass, of
# another process, needs.
REST = 0.02  # seconds

# What a predictor says of itself.
FACTS = ("runtime", "precision", "attention_kernel", "choice")
# Images (B,H,W,3) uint8 in host memory -> label maps (B,H,W) uint8 there; has FACTS as attributes.
Predict = Callable[[np.ndarray], np.ndarray]


class CaseError(Exception):
    """A case could not be built or run.

    Attributes:
        memory: whether that is because memory ran out.
    """

    def __init__(self, message: str, memory: bool) -> None:
        super().__init__(message, memory)
        self.memory = memory

    def __str__(self) -> str:
        return " ".join(self.args[0].split())

    @classmethod
    def of(cls, error: Exception) -> "CaseError":
        """Return whatever a runtime raises as an error of the case."""
        text = str(error) or repr(error)
        return cls(text, isinstance(error, MemoryError) or bool(OUT_OF_MEMORY.search(text)))


class Worker:
    """A process that builds one predictor, then passes its images whenever it is asked to.

    Attributes:
        facts: what the predictor says of itself, see FACTS; from `begin` on.
        labels: label maps (B,H,W) uint8 of the first pass; from `begin` on.

    Args:
        build: makes the predictor, in its process; is pickled.
        images: (B,H,W,3) uint8.
        device: where the predictor works, "cpu" or "cuda".
        libraries: modules to import first where they are installed: their size doesn't count.
    """

    def __init__(
        self,
        build: Callable[[], Predict],
        images: np.ndarray,
        device: str,
        libraries: Sequence[str] = (),
    ) -> None:
        self._connection, theirs = _CONTEXT.Pipe()
        arguments = (theirs, build, images, device, libraries)
        self._process = _CONTEXT.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def begin(self) -> None:
        """Wait until the predictor is built, and pass the images for the first time.

        Raises:
            CaseError: it can't be built, or its first pass fails.
        """
        self.facts, self.labels = self._ask("begin")

    def run(self) -> float:
        """Pass the images once, from rest; return the duration in milliseconds.

        Raises:
            CaseError: the pass fails, or its process is gone.
        """
        time.sleep(REST)
        return self._ask("pass")

    def peak_memory(self) -> float:
        """Return the most memory that a pass after the first took, in 10^6 bytes (`PeakMemory`)."""
        return self._ask("memory")

    def close(self) -> None:
        """End the process."""
        # Without its connection it leaves by itself, and gives back what the system holds for it;
        # one that hangs in a pass, or has died, is ended.
        self._connection.close()
        self._process.join(PATIENCE)
        self._process.terminate()
        self._process.join()

    def _ask(self, question: str) -> Any:
        # One that is gone may have left its reason.
        with suppress(OSError):
            self._connection.send(question)
        return self._answer()

    def _answer(self) -> Any:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise self._killed() from None
        if isinstance(answer, CaseError):
            self.close()
            raise answer
        return answer

    def _killed(self) -> CaseError:
        self._process.join()
        code = self._process.exitcode
        self.close()
        if code == -signal.SIGKILL:
            return CaseError("out of memory: the system ended the process", memory=True)
        return CaseError(f"its process ended with exit code {code}", memory=False)


def _serve(
    connection: Connection,
    build: Callable[[], Predict],
    images: np.ndarray,
    device: str,
    libraries: Sequence[str],
) -> None:
    """Build a predictor, then answer until the process is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    on_gpu = device == "cuda"
    synchronise = torch.cuda.synchronize if on_gpu else lambda: None
    if on_gpu:
        torch.backends.cudnn.benchmark = True
    else:
        limit_memory()
    for library in libraries:
        with suppress(ImportError):
            importlib.import_module(library)
    memory = PeakMemory(torch.device(device))
    try:
        predict = build()
        while True:
            question = connection.recv()
            if question == "begin":
                labels = predict(images)
                connection.send(({name: getattr(predict, name) for name in FACTS}, labels))
                memory.restart()
            elif question == "memory":
                connection.send(memory.megabytes())
            else:
                connection.send(timed(partial(predict, images), synchronise))
    except EOFError:
        pass  # the parent is gone
    except Exception as error:  # whatever a runtime raises: it is reported, the others go on
        connection.send(CaseError.of(error))
