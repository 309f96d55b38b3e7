"""What works where only the base dependencies are installed, and what the rest asks for."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
STAGES = sorted({path.stem for path in (ROOT / "stages").glob("[!_]*.py")})
PREDICTS = """
import eacnet, numpy
model = eacnet.build_model("dab", 11, "pooled")
classes = [{"name": str(i), "category": "", "color": [i, i, i]} for i in range(11)]
eacnet.save_model(model, "net.safetensors", classes=classes, mean=[90.0] * 3, std=[1.0] * 3)
model = eacnet.load_model("net.safetensors")
image = numpy.random.default_rng(0).integers(256, size=(64, 96, 3), dtype=numpy.uint8)
for source in (model, "net.safetensors"):
    labels = eacnet.Predictor(source, runtime="eager", device="cpu")(image)
    assert labels.shape == (64, 96) and labels.max() < 11

import sys
assert "torch._dynamo" not in sys.modules  # PyTorch's compiler: a second or two

from PIL import Image
Image.fromarray(image).save("photo.png")
import importlib.util, eacnet.scenes, eacnet.pretrained
assert not any(map(importlib.util.find_spec, ("dvc", "lightning_fabric", "matplotlib", "pandas")))
"""


def closure(requirements: list[str]) -> set[str]:
    """The installed distributions that `requirements` ask for, and those that these ask for."""
    found, left = set(), list(map(Requirement, requirements))
    while left:
        wanted = left.pop()
        if any(
            wanted.marker is None or wanted.marker.evaluate({"extra": extra})
            for extra in wanted.extras or {""}
        ):
            try:
                requires = distribution(wanted.name).requires or []
            except PackageNotFoundError:
                continue  # such as CUDA's libraries beside a PyTorch for processors
            if wanted.name not in found:
                found.add(wanted.name)
                left += map(Requirement, requires)
    return found


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Return a function that runs this Python with nothing but the base dependencies."""
    site, folder = (tmp_path_factory.mktemp(name) for name in ("site", "folder"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name in closure(project["dependencies"]) | {"eacnet"}:
        installed = distribution(name)
        for part in {file.parts[0] for file in installed.files}:
            if part not in ("..", "__pycache__") and not (site / part).exists():
                (site / part).symlink_to(installed.locate_file(part))

    def run(*arguments):
        env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
        # Without `site` it doesn't look where everything is installed.
        command = [sys.executable, "-S", *map(str, arguments)]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)

    built = run("-c", PREDICTS)
    assert built.returncode == 0, built.stderr
    return run


def refused(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_a_photo_is_predicted(base):
    command = ("-m", "eacnet.cli", "predict", "photo.png", "--model", "net.safetensors")
    done = base(*command, "--samples", "photo.png", "--output", "out")
    assert done.returncode == 0, done.stderr
    assert "1 of 1 files -> out" in done.stdout


def test_a_network_is_picked(base):
    command = ("-m", "eacnet.cli", "pick", "--fps", "0.001", "--size", "32x48")
    done = base(*command, "--weights", "net.safetensors", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "pick for 0.001 frames per second at 32x48" in done.stdout


@pytest.mark.parametrize("command", ["predict", "convert", "export", "pick", "verify"])
def test_every_command_has_help_at_once(base, command):
    done = base("-X", "importtime", "-m", "eacnet.cli", command, "--help")
    assert done.returncode == 0, done.stderr
    assert command in done.stdout
    assert {"argparse", "torch"} & set(done.stderr.split()) == {"argparse"}


def test_verify_names_the_extra(base):
    line = refused(base("-m", "eacnet.cli", "verify"))
    assert line.endswith("is not installed: pip install eacnet[pipeline]")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_the_extra(base, stage):
    line = refused(base("-m", f"stages.{stage}"))
    assert line.endswith("is not installed: pip install eacnet[pipeline]")


def test_importing_the_package_imports_nothing_else():
    code = (
        "import sys; before = set(sys.modules); import eacnet; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert set(done.stdout.split()) - sys.stdlib_module_names == {"eacnet"}, done.stderr
