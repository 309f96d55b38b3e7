"""Where a result comes from: code, data, seed, device, versions; no clock but the commit's."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("torch", "torchvision", "lightning-fabric", "numpy", "pillow", "dvc")
# Not params.yaml: the parameters that a result depends on are recorded beside it.
CODE = ("eacnet", "stages", "dvc.yaml", ":(exclude,glob)stages/**/dvc.lock")


def provenance(**facts: Any) -> dict[str, Any]:
    """Return `facts` (JSON types) beside the state of the code and the versions in use."""
    return {**facts, "code": code_state(), "versions": versions()}


def code_state() -> dict[str, Any]:
    """Return the Git commit, the day it was made, and which files of the code differ from it.

    All are None where Git can't tell, or not of this code; `why` then says so, as does a line on
    stderr.
    """
    try:
        # Git finds a repository in any folder above, whether or not this code belongs to it.
        _git("ls-files", "--error-unmatch", "--", str(Path(__file__).resolve().relative_to(ROOT)))
        # The user's own settings may add a signature, and hide files that Git does not know.
        shown = ("show", "--no-patch", "--no-show-signature", "--format=%H %cs", "HEAD")
        commit, date = _git(*shown).split()
        status = ("status", "--porcelain", "--untracked-files=all", "--", *CODE)
        changed = _git(*status).splitlines()
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        why = _why(error)
        _say_once(f"note: results name no commit of the code: {why}")
        return {"commit": None, "date": None, "modified": None, "why": why}
    return {"commit": commit, "date": date, "modified": [line[2:].strip() for line in changed]}


def has_commit(commit: str) -> bool | None:
    """Say whether this code's repository holds a commit, None where that can't be told."""
    try:
        _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    except OSError:
        return None
    except subprocess.CalledProcessError:
        try:
            return None if _git("rev-parse", "--is-shallow-repository") == "true" else False
        except subprocess.CalledProcessError:
            return None
    return True


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results depend on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def cpu_name() -> str:
    """Return the processor's name as the operating system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(library: str) -> str:
    try:
        return version(library)
    except ModuleNotFoundError:
        return "not installed"


def _git(*arguments: str) -> str:
    # A hook of Git's sets GIT_DIR and the like to the repository that it runs for.
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GIT_")}
    run = subprocess.run(
        ["git", "-C", str(ROOT), *arguments],
        capture_output=True,
        check=True,
        encoding="utf-8",
        errors="replace",
        env=environment | {"LC_ALL": "C"},
    )
    return run.stdout.rstrip()


def _why(error: OSError | subprocess.CalledProcessError | ValueError) -> str:
    if isinstance(error, ValueError):
        return "git does not answer with a commit and its day"
    if isinstance(error, OSError):
        return f"git can't be run ({error.strerror})"
    said = error.stderr
    if "dubious ownership" in said:
        return (
            f"Git takes {ROOT} for another user's; `git config --global --add safe.directory"
            f" {ROOT}` trusts it"
        )
    if "not a git repository" in said:
        return f"{ROOT} is no Git repository"
    if "did not match any file" in said:
        return f"{ROOT} lies within a Git repository that does not hold it"
    return " ".join(said.split()) or f"git ended with {error.returncode}"


@cache
def _say_once(line: str) -> None:
    print(line, file=sys.stderr)
