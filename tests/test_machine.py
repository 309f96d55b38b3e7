import ctypes
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import psutil
import pytest
import torch

from eacnet import machine as environment
from eacnet.errors import InputError
from eacnet.machine import (
    conditions,
    device_name,
    keep_freed_memory,
    machine,
    nominal_gib,
    pick_device,
    slug,
    usable_cores,
)


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


def test_versions_are_those_that_are_installed():
    found = machine()["versions"]
    assert (found["torch"], found["python"]) == (version("torch"), platform.python_version())
    for runtime in ("onnxruntime", "openvino"):
        try:
            assert found[runtime] == version(runtime)
        except PackageNotFoundError:
            assert runtime not in found


def test_what_changes_from_one_start_to_the_next_is_not_in_it(monkeypatch, nvidia_smi):
    """Another kernel keeps other pages for itself; threads, drivers and loads come and go."""
    nvidia_smi("NVIDIA H200, 143771")
    before = machine()
    assert before["gpus"] == [{"name": "NVIDIA H200", "memory_gib": 140}]
    memory = psutil.virtual_memory()
    less = memory._replace(total=int(memory.total * 0.995))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: less)
    monkeypatch.setattr(psutil, "getloadavg", lambda: (9.0, 9.0, 9.0))
    monkeypatch.setattr(platform, "platform", lambda: "Linux-99")
    monkeypatch.setenv("OMP_NUM_THREADS", "31")
    assert machine() == before
    assert set(before) == {"cpu", "memory_gib", "gpus", "versions"}


@pytest.mark.parametrize(
    ("reported", "nominal"),
    [(0.97, 1), (3.7, 4), (15.2, 16), (15.6, 16), (23.43, 24), (23.54, 24), (62.6, 64),
     (125.4, 128), (251.5, 256), (377.0, 384), (503.6, 512), (1007.0, 1024)],
)  # fmt: skip
def test_memory_is_that_of_the_modules_whatever_the_kernel_keeps(reported, nominal):
    assert nominal_gib(int(reported * 2**30)) == nominal


def test_without_a_gpu_none_is_listed(nvidia_smi):
    nvidia_smi("NVIDIA-SMI has failed", code=9)
    assert machine()["gpus"] == conditions()["gpus"] == []


def test_gpus_are_listed_as_the_driver_gives_them(nvidia_smi):
    nvidia_smi("NVIDIA H200, 143771\nTesla X, [N/A]")
    assert machine()["gpus"] == [
        {"name": "NVIDIA H200", "memory_gib": 140},
        {"name": "Tesla X", "memory_gib": None},
    ]
    nvidia_smi("570.86.15, 1980, 700.00")
    driver = {"driver_version": "570.86.15", "clocks.max.sm": "1980", "power.limit": "700.00"}
    assert conditions()["gpus"] == [driver]


def test_conditions_are_those_of_now():
    now = conditions()
    assert now["threads"] == torch.get_num_threads()
    assert now["system"] == platform.platform()


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


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library")
def test_freed_memory_is_used_again_without_the_systems_clearing_it():
    code = """if True:
        import resource, sys, torch
        from eacnet.machine import keep_freed_memory
        if sys.argv[1] == "kept":
            keep_freed_memory()
        faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.ones(80 << 20, dtype=torch.uint8)
        before = faults()
        torch.ones(64 << 20, dtype=torch.uint8)
        print(faults() - before)
        """
    pages = (64 << 20) // os.sysconf("SC_PAGESIZE")
    kept, given_back = (
        int(subprocess.check_output([sys.executable, "-c", code, how]))
        for how in ("kept", "given back")
    )
    assert kept < pages / 10 < given_back


def test_another_c_library_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    keep_freed_memory()
