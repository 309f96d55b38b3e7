import compileall
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
CODE = ("eacnet", "stages", "params.yaml", "dvc.yaml", ".dvcignore", ".gitignore")
CODE += ("data/published.csv",)
SKIPPED = shutil.ignore_patterns("__pycache__", "dvc.lock")


BIN = Path(sys.executable).parent
# They begin in a moment, for what they import is imported: see warm.py.
PROGRAMS = {
    "python": """case "$1 $2" in
        "-m stages."*|"-m eacnet."*|"-m dvc") exec {python} -SE {warm} {socket} "$@" ;;
        *) exec {python} "$@" ;;
    esac""",
    "dvc": 'exec {folder}/python -m dvc "$@"',
    "eacnet": 'exec {folder}/python -m eacnet.cli "$@"',
}


@dataclass
class Project:
    """A copy of the project with a dataset and a recipe that take seconds.

    Attributes:
        root: its folder.
        programs: the folder of PROGRAMS.
    """

    root: Path
    programs: Path

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the project; programs are those of this environment."""
        command = self._resolved(command, self.programs, BIN)
        done = subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    @property
    def params(self) -> dict:
        """What params.yaml holds."""
        return YAML(typ="safe").load(self.root / "params.yaml")

    def commit(self) -> None:
        """Commit all there is."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "test")

    def prepare(self) -> None:
        """Draw the dataset and prepare it."""
        for stage in ("raw", "prepare"):
            self.run("python", "-m", f"stages.{stage}")

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in the background, in a process of its own that can be killed."""
        command = self._resolved(command, BIN)
        return subprocess.Popen(
            command, cwd=self.root, env=self.env, stderr=subprocess.PIPE, text=True
        )

    def set(self, key: str, value: object) -> None:
        """Change one value of params.yaml."""
        self.update({key: value})

    def update(self, changes: dict[str, object]) -> None:
        """Change values of params.yaml."""
        yaml = YAML()
        path = self.root / "params.yaml"
        params = yaml.load(path)
        for key, value in changes.items():
            *parents, last = key.split(".")
            node = params
            for parent in parents:
                node = node[parent]
            node[last] = value
        yaml.dump(params, path)

    @property
    def env(self) -> dict[str, str]:
        """The environment of the stages: this Python, one thread."""
        return {
            **os.environ,
            "PATH": f"{self.programs}:{BIN}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",  # else every command starts a process that reports home
        }

    def clone(self, root: Path) -> "Project":
        """Return a clone of the last commit, as another machine would have it."""
        self.run("git", "clone", "--quiet", ".", str(root))
        return Project(root, self.programs)

    def _resolved(self, command: tuple[str, ...], *folders: Path) -> list[str]:
        own = (folder / command[0] for folder in folders)
        return [next((str(path) for path in own if path.exists()), command[0]), *command[1:]]


def make_project(root: Path, programs: Path) -> Project:
    """Copy the project's code to `root`, under Git and DVC, with tiny parameters."""
    root.mkdir()
    for name in CODE:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=SKIPPED)
        else:
            shutil.copy(source, target)
    project = Project(root, programs)
    tiny = {
        "datasets.synthetic.scenes": {"train": 4, "val": 2, "test": 2},
        "datasets.synthetic.size": [64, 128],
        "recipes.synthetic.epochs": 2,
        "recipes.synthetic.batch": 2,
        "recipes.synthetic.crop": [64, 128],
        "ablation.backbones": ["dab"],
        "ablation.baselines": [],
        "ablation.seeds": [1],
        "benchmarks.quick.rows": [
            {"networks": ["dab-pooled"], "forms": ["published", "eager"], "sizes": [[64, 128]]}
        ],
        "benchmarks.quick.modules": [],
        "benchmarks.quick.rounds": 2,
        "report.examples": 2,
    }
    project.update(tiny)
    compileall.compile_dir(root, quiet=1)  # once, not in every copy
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    shutil.copytree(ROOT / ".dvc/plots", root / ".dvc/plots")
    project.run("git", "config", "user.name", "test")
    project.run("git", "config", "user.email", "test@example.com")
    project.commit()
    return project


@pytest.fixture(scope="session")
def programs(tmp_path_factory) -> Iterator[Path]:
    """The folder of PROGRAMS, and the process behind them."""
    folder = tmp_path_factory.mktemp("programs")
    warm, socket = Path(__file__).with_name("warm.py"), folder / "socket"
    names = {"python": sys.executable, "warm": warm, "socket": socket, "folder": folder}
    for name, text in PROGRAMS.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{text.format(**names)}\n")
        program.chmod(0o755)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, warm, "server", socket]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as server:
        while not socket.exists():
            assert server.poll() is None
            time.sleep(0.05)
        yield folder


@pytest.fixture(scope="session")
def template(tmp_path_factory, programs) -> Project:
    """A copy in which nothing runs: copied, it spares seconds of `git init` and `dvc init`."""
    return make_project(tmp_path_factory.mktemp("template") / "project", programs)


@pytest.fixture
def project(template, tmp_path) -> Project:
    """A fresh copy in which nothing has run yet."""
    root = shutil.copytree(template.root, tmp_path / "project", symlinks=True)
    return Project(root, template.programs)


@pytest.fixture(scope="module")
def reproduced(template, tmp_path_factory) -> Project:
    """A copy in which `dvc repro` has run; tests leave its parameters as they were."""
    root = tmp_path_factory.mktemp("pipeline") / "project"
    shutil.copytree(template.root, root, symlinks=True)
    project = Project(root, template.programs)
    project.run("dvc", "repro", "--quiet")
    project.commit()
    return project


@pytest.fixture
def s3(monkeypatch) -> Iterator[str]:
    """The address of a server process that speaks S3 and has an empty bucket, `bucket`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            address = next(
                found[0]
                for line in server.stderr
                if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
            )
            bucket = urllib.request.Request(f"{address}/bucket", method="PUT")
            with urllib.request.urlopen(bucket, timeout=60):
                yield address
        finally:
            server.kill()
