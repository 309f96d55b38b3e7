"""The commit that results name is that of the code, or there is none and it is said why."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = (
    "import json; from eacnet.provenance import code_state;"
    "code_state(); print(json.dumps(code_state()))"
)


def git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    run = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def code(tmp_path):
    """A copy of the code within another folder, in which nothing is under Git yet."""
    copy = tmp_path / "outer/project"
    for name in ("__init__.py", "errors.py", "files.py", "provenance.py"):
        (copy / "eacnet").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "eacnet" / name, copy / "eacnet" / name)
    (copy / "eacnet/__init__.py").write_text("")
    (copy / "stages/ablation").mkdir(parents=True)
    (copy / "dvc.yaml").touch()
    return copy


def state(code, tmp_path, **environment):
    """Return what the code says, asked from another folder, and what it says on stderr."""
    # Compiled files would be files that Git does not know.
    env = {**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"HOME": str(tmp_path), **environment}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def commit(folder):
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "x")
    return git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize("where", ["project", "outer"])
def test_the_commit_of_the_repository_that_holds_the_code(code, tmp_path, where):
    expected = commit(code if where == "project" else code.parent)
    # As where a hook of another repository starts the pipeline.
    found, said = state(code, tmp_path, GIT_DIR="/nowhere")
    assert (found["commit"], found["modified"], said) == (expected, [], "")
    for name in ("stages/dvc.lock", "stages/ablation/dvc.lock"):
        (code / name).write_text("what DVC ran, no code")
    assert state(code, tmp_path)[0]["modified"] == []
    (code / "eacnet/errors.py").write_text("")
    prefix = "" if where == "project" else "project/"
    assert state(code, tmp_path)[0]["modified"] == [f"{prefix}eacnet/errors.py"]


@pytest.mark.parametrize("untracked", ["no", "normal"])
def test_files_that_git_does_not_know_are_named_whatever_its_settings(code, tmp_path, untracked):
    commit(code)
    git(code, "config", "status.showUntrackedFiles", untracked)
    (code / "eacnet/new").mkdir()
    (code / "eacnet/new/attention.py").touch()
    assert state(code, tmp_path)[0]["modified"] == ["eacnet/new/attention.py"]


def test_a_signature_is_no_commit(code, tmp_path):
    commit(code)
    mark = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    text = git(code, "cat-file", "commit", "HEAD").replace("\n\n", f"\n{mark}\n\n", 1)
    (tmp_path / "signed").write_text(f"{text}\n")
    signed = git(code, "hash-object", "-t", "commit", "-w", str(tmp_path / "signed"))
    git(code, "reset", "--soft", signed)
    gpg = tmp_path / "gpg"
    gpg.write_text("#!/bin/sh\necho good signature >&2\n")
    gpg.chmod(0o755)
    git(code, "config", "log.showSignature", "true")
    git(code, "config", "gpg.program", str(gpg))
    assert len(git(code, "show", "--no-patch", "--format=%H", "HEAD").split()) > 1
    found, said = state(code, tmp_path)
    assert (found["commit"], found["modified"], said) == (signed, [], "")


@pytest.mark.parametrize("prints", ["", "echo one"])
def test_a_git_that_tells_no_commit_ends_no_training(code, tmp_path, prints):
    commit(code)
    script = tmp_path / "bin/git"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{prints}\n")
    script.chmod(0o755)
    found, said = state(code, tmp_path, PATH=str(script.parent))
    assert (found["commit"], found["why"]) == (
        None,
        "git does not answer with a commit and its day",
    )
    assert said.count("\n") == 1


def test_a_repository_around_the_code_is_not_taken_for_its_own(code, tmp_path):
    (code.parent / ".gitignore").write_text("project\n")
    commit(code.parent)
    found, said = state(code, tmp_path)
    assert (found["commit"], found["date"], found["modified"]) == (None, None, None)
    assert "lies within a Git repository that does not hold it" in found["why"]
    # Asked twice, said once.
    assert said == f"note: results name no commit of the code: {found['why']}\n"


def test_without_a_repository_without_git_and_of_another_user(code, tmp_path):
    assert "is no Git repository" in state(code, tmp_path)[0]["why"]
    assert "git can't be run" in state(code, tmp_path, PATH="/nowhere")[0]["why"]
    git(code, "init", "-q")
    assert state(code, tmp_path)[0]["why"]
    commit(code)
    script = tmp_path / "bin/git"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\necho 'fatal: detected dubious ownership in repository' >&2\nexit 128\n"
    )
    script.chmod(0o755)
    found, said = state(code, tmp_path, PATH=str(script.parent))
    assert found["commit"] is None
    assert f"safe.directory {code}" in found["why"]
    assert said.count("\n") == 1


def test_whether_a_commit_is_there_is_told_where_it_can_be(code, tmp_path):
    def told(folder, *commits):
        script = f"from eacnet.provenance import has_commit as f; print(*map(f, {commits}))"
        env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        return done.stdout.split(), done.stderr

    assert told(code, "0" * 40) == (["None"], "")
    first = commit(code)
    git(code, "commit", "-qm", "y", "--allow-empty")
    assert told(code, first, first[:12], "0" * 40) == (["True", "True", "False"], "")
    shallow = tmp_path / "shallow"
    git(code, "clone", "-q", "--depth", "1", f"file://{code}", str(shallow))
    assert told(shallow, first) == (["None"], "")
