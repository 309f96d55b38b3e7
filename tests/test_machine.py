import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import torch

from eacnet import machine as environment
from eacnet.errors import InputError
from eacnet.machine import device_name, machine, pick_device, slug, usable_cores


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Return a function that puts an `nvidia-smi` with this output and exit code on the path."""

    def install(output, code=0):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\nexit {code}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return install


def test_the_same_bytes_each_time():
    assert json.dumps(machine()) == json.dumps(machine())


def test_machine_is_asked_without_importing_torch():
    code = (
        "import sys; from eacnet.machine import machine; machine(); "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_memory_and_versions():
    here = machine()
    total = next(
        line for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line
    )
    assert here["memory_gib"] == round(int(total.split()[1]) / 1024**2)
    assert here["versions"]["torch"] == version("torch")
    for runtime in ("onnxruntime", "openvino"):
        try:
            assert here["versions"][runtime] == version(runtime)
        except PackageNotFoundError:
            assert runtime not in here["versions"]


def test_threads_are_those_that_the_environment_sets(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert machine()["threads"] == "3"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert machine()["threads"] is None


def test_without_a_gpu_the_processor_is_the_device(nvidia_smi):
    nvidia_smi("NVIDIA-SMI has failed", code=9)
    here = machine()
    assert here["gpus"] == []
    assert here["device"] == here["cpu"]["name"]


def test_gpus_are_listed_as_the_driver_gives_them(nvidia_smi):
    nvidia_smi("NVIDIA H200, 570.86.15, 143771, 1980, 700.00\nTesla X, 570.86.15, [N/A], 1500, N/A")
    here = machine()
    assert here["device"] == "NVIDIA H200"
    first = {"name": "NVIDIA H200", "driver": "570.86.15", "memory_gib": 140}
    second = {"name": "Tesla X", "driver": "570.86.15", "memory_gib": None}
    assert here["gpus"] == [
        {**first, "max_clock_mhz": 1980, "power_limit_w": 700},
        {**second, "max_clock_mhz": 1500, "power_limit_w": None},
    ]


def test_clock_is_the_highest_of_any_core(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "CPUS", tmp_path)
    assert machine()["cpu"]["max_clock_mhz"] is None
    for core, frequency in (("cpu0", 2200000), ("cpu1", 3700000)):
        folder = tmp_path / core / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "cpuinfo_max_freq").write_text(f"{frequency}\n")
    assert machine()["cpu"]["max_clock_mhz"] == 3700


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processor affinity here")
def test_cores_are_those_that_the_process_may_use():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert usable_cores() == len(before)


@pytest.mark.parametrize(
    ("available", "accelerator", "device"),
    [(True, "auto", "cuda"), (False, "auto", "cpu"), (True, "cpu", "cpu"), (True, "cuda", "cuda")],
)
def test_accelerator_selects_the_device(monkeypatch, available, accelerator, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert pick_device(accelerator) == torch.device(device)


def test_cuda_without_a_gpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"hardware\.accelerator.*auto or cpu"):
        pick_device("cuda")
    with pytest.raises(InputError, match="--device is 'cuda'"):
        pick_device("cuda", "--device")


def test_device_names(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    monkeypatch.setattr(environment, "cpu_name", lambda: "AMD EPYC")
    assert device_name(torch.device("cuda", 1)) == "GPU 1"
    assert device_name(torch.device("cpu")) == "AMD EPYC"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AMD EPYC, 2 cores", "amd-epyc-2-cores"),
        ("NVIDIA GeForce RTX 4090", "nvidia-geforce-rtx-4090"),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", "intel-r-xeon-r-cpu-2-20ghz"),
    ],
)
def test_slugs(name, expected):
    assert slug(name) == expected
