"""Where a result comes from: code, data, seed, device, versions; no clock but the commit's."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "torchvision", "lightning-fabric", "numpy", "pillow", "dvc")
# Not params.yaml: the parameters that a result depends on are recorded beside it.
CODE = ("eacnet", "stages", "dvc.yaml")


def provenance(**facts: Any) -> dict[str, Any]:
    """Return `facts` (JSON types) beside the state of the code and the versions in use."""
    return {**facts, "code": code_state(), "versions": versions()}


def code_state() -> dict[str, Any]:
    """Return the Git commit, the day it was made, and which files of the code differ from it.

    All are None outside a Git repository.
    """
    commit = _git("rev-parse", "HEAD")
    date = _git("show", "--no-patch", "--format=%cs", "HEAD")
    changed = _git("status", "--porcelain", "--", *CODE)
    return {
        "commit": commit,
        "date": date,
        "modified": None
        if changed is None
        else [line[2:].strip() for line in changed.splitlines()],
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def cpu_name() -> str:
    """Return the processor's name as the operating system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(library: str) -> str:
    try:
        return version(library)
    except ModuleNotFoundError:
        return "not installed"


def _git(*arguments: str) -> str | None:
    try:
        run = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return run.stdout.rstrip()
