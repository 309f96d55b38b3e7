"""Ctrl-C in a process that has long been predicting, sent to a process of its own."""

import signal
import subprocess
import sys

import numpy as np
import pytest

import eacnet
from eacnet.inference.runtimes import lacking

# Python leaves Ctrl-C ignored where its parent, such as a shell's background job, ignores it.
SCRIPT = """
import gc, signal, time
import numpy
import eacnet
from eacnet.errors import exit_on_error

def main():
    images = numpy.load("images.npy")
    options = {options!r}
    if options["precision"] == "int8":
        options["samples"] = images
    model = eacnet.load_model("net.safetensors")
    kept = [eacnet.Predictor(model, **options) for _ in range(2)]
    for predict in kept:
        predict(images[0])
    del predict
    while kept:
        kept.pop(0)  # the older one first
        gc.collect()
    print("ready", flush=True)
    time.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)
exit_on_error(main)
"""


@pytest.mark.parametrize(
    ("runtime", "precision"),
    [("eager", "fp32"), ("onnxruntime", "fp32"), ("openvino", "fp32"), ("openvino", "int8")],
)
def test_ctrl_c_after_predictors_were_made_and_dropped(
    network, pixels, tmp_path, runtime, precision
):
    for package in lacking(runtime, precision):
        pytest.skip(f"{package} is not installed")
    model = network()
    eacnet.save_model(model, tmp_path / "net.safetensors", **vars(model.card))
    np.save(tmp_path / "images.npy", pixels(64, 96, 2).numpy())
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(options={"runtime": runtime, "precision": precision}))
    process = subprocess.Popen(
        [sys.executable, script.name],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1, stderr
    assert stderr.splitlines()[-1].startswith("error: interrupted")
