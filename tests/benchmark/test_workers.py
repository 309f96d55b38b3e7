import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from eacnet.benchmark.workers import REST, CaseError, Worker
from eacnet.errors import InputError
from eacnet.progress import progress

IMAGES = np.arange(2 * 8 * 16 * 3, dtype=np.uint8).reshape(2, 8, 16, 3)
MEGABYTES = 100


class Fake:
    runtime, precision, attention_kernel, choice = "fake", "fp32", "none", None

    def __init__(self, predict):
        self.predict = predict

    def __call__(self, images):
        return self.predict(images)


# Predictors are built in another process, so what builds them stands at the top of a module.
def of_first_channel():
    held = np.ones(30 * 10**6, np.uint8)  # stays, as weights do
    np.ones(400 * 10**6, np.uint8).sum()  # goes, as what building takes does

    def predict(images):
        np.ones(MEGABYTES * 10**6, np.uint8).sum()
        return images[..., 0] + held[0]

    return Fake(predict)


def slow():
    return Fake(lambda images: time.sleep(0.05))


def greedy():
    return Fake(lambda images: np.ones(2**45, np.uint8))


def refused():
    raise InputError("no such runtime;\n  install it")


def counting():
    list(progress(range(3)))  # makes a lock between processes, which is this one's to give back
    return Fake(lambda images: images[..., 0])


def dying():
    passes = []

    def predict(images):
        passes.append(1)
        if len(passes) > 1:
            os.kill(os.getpid(), signal.SIGKILL)

    return Fake(predict)


def test_a_pass_is_what_the_predictor_does():
    with closing(Worker(of_first_channel, IMAGES, "cpu")) as worker:
        worker.begin()
        assert np.array_equal(worker.labels, IMAGES[..., 0] + 1)
        assert worker.facts == {
            "runtime": "fake", "precision": "fp32", "attention_kernel": "none", "choice": None
        }  # fmt: skip


def test_nothing_that_a_predictor_holds_of_the_system_is_left_behind():
    # Python says at the end of a program what it had to give back.
    program = (
        "import numpy\nfrom test_workers import Worker, counting\n"
        "if __name__ == '__main__':\n"
        "    worker = Worker(counting, numpy.zeros((1, 8, 8, 3), numpy.uint8), 'cpu')\n"
        "    worker.begin()\n    worker.close()"
    )
    here = os.pathsep.join((str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": here},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "leaked" not in done.stderr


def test_durations_are_those_of_a_pass():
    with closing(Worker(slow, IMAGES, "cpu")) as worker:
        worker.begin()
        assert 50 <= worker.run() < 2000


def test_threads_of_another_pass_come_to_rest_before():
    with closing(Worker(slow, IMAGES, "cpu")) as worker:
        worker.begin()
        start = time.perf_counter()
        pass_ms = worker.run()
        assert 1000 * (time.perf_counter() - start) - pass_ms >= 1000 * REST


def test_peak_memory_is_what_passes_take_and_what_stays_but_not_what_building_took():
    with closing(Worker(of_first_channel, IMAGES, "cpu")) as worker:
        worker.begin()
        worker.run()
        assert worker.peak_memory() == pytest.approx(MEGABYTES + 30, abs=10)


def test_out_of_memory_is_told_apart():
    with pytest.raises(CaseError) as caught:
        Worker(greedy, IMAGES, "cpu").begin()
    assert caught.value.memory


def test_a_refusal_is_one_line_however_late_it_is_asked_for():
    for seconds in (0, 2):
        worker = Worker(refused, IMAGES, "cpu")
        time.sleep(seconds)
        with pytest.raises(CaseError, match="no such runtime; install it") as caught:
            worker.begin()
        assert not caught.value.memory


def test_a_process_that_the_system_kills_has_run_out_of_memory():
    with closing(Worker(dying, IMAGES, "cpu")) as worker:
        worker.begin()
        with pytest.raises(CaseError) as caught:
            worker.run()
        assert caught.value.memory


def test_the_process_ends_with_its_worker():
    worker = Worker(slow, IMAGES, "cpu")
    worker.begin()
    process = worker._process.pid
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
