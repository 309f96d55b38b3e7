"""The workflows that GitHub runs, as far as that can be checked elsewhere."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def read(path):
    return YAML(typ="safe").load(path)


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_well_formed(path):
    workflow = read(path)  # refuses a key that is there twice
    assert {"name", "on", "permissions", "jobs"} <= set(workflow)
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
    for step in steps(workflow):
        assert ("uses" in step) != ("run" in step)
        # First-party actions, by their major version.
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/x@v1"))
        if "run" in step:
            subprocess.run(["bash", "-n", "-c", step["run"]], check=True)
            # What a pull request names must reach a shell as a variable, never as code.
            assert "${{" not in step["run"]


def test_no_workflow_needs_a_secret_or_runs_foreign_code_with_rights():
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text()
        assert "pull_request_target" not in read(path)["on"]
    assert read(ROOT / ".github/workflows/ci.yml")["permissions"] == {"contents": "read"}


def test_continuous_integration_runs_the_checks_that_contributors_run():
    (command,) = [step["run"] for step in steps(read(ROOT / ".github/workflows/ci.yml"))
                  if "run" in step]  # fmt: skip
    assert command == "make test"


def test_it_runs_on_every_python_that_the_package_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [name.rpartition(" ")[2] for name in project["classifiers"] if " :: 3." in name]
    jobs = read(ROOT / ".github/workflows/ci.yml")["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"


def test_a_fork_finds_the_comparison_in_the_summary():
    *_, compare, post = steps(read(ROOT / ".github/workflows/metrics.yml"))
    assert "GITHUB_STEP_SUMMARY" in compare["run"]
    assert "if" not in compare
    assert "head.repo.full_name == github.repository" in post["if"]


def test_the_lock_without_hashes_constrains_dvc(tmp_path):
    """The sed of the workflow leaves lines that pip takes as constraints."""
    install = next(s for s in steps(read(ROOT / ".github/workflows/metrics.yml"))
                   if "constraints" in s.get("run", ""))  # fmt: skip
    command = install["run"].splitlines()[0]
    subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env={"RUNNER_TEMP": str(tmp_path)}, check=True
    )
    lines = (tmp_path / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.match(r"[a-z0-9._-]+==\S+( ; .*)?$", pin) for pin in pins)
    assert "dvc==3.67.1" in pins
