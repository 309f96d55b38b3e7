"""Try `eacnet train-cells --executor slurm` on a real SLURM whose two nodes are on this machine.

Four tiny cells are one array job. One gets the signal that SLURM sends before a time limit, and is
queued again. When trainings run on both nodes, the second node is lost: its slurmd, and whatever
ran on it, are killed. Then all four are to be finished, with the bits that they have when nothing
happens. Needs root and SLURM (`apt-get install slurm-wlm munge`); touches
nothing outside a scratch folder:

    python measurements/slurm.py
"""

import argparse
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
NODES = ("n1", "n2")
CONF = """
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=20
"""
NODE = "NodeName={} NodeHostname={host} NodeAddr=127.0.0.1 Port={} CPUs=1 RealMemory=4000\n"
SMALL = {
    "datasets.synthetic.scenes": {"train": 4, "val": 2, "test": 2},
    "datasets.synthetic.size": [64, 128],
    "recipes.synthetic.batch": 2,
    "recipes.synthetic.crop": [64, 128],
    "ablation.backbones": ["dab"],
    "ablation.seeds": [1, 2],
    "hardware.accelerator": "cpu",
    "cluster": {"partition": "main", "gpus": 0, "cores": 1, "memory_gib": 1, "hours": 1},
}


class Slurm:
    """A controller and two nodes, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("munge", "state", *(f"spool-{node}" for node in NODES)):
            (folder / name).mkdir(parents=True)
        host, port = socket.gethostname().partition(".")[0], 27001
        text = CONF.format(folder=folder, host=host, port=port)
        for index, node in enumerate(NODES):
            text += NODE.format(node, port + 1 + index, host=host)
        text += f"PartitionName=main Nodes={','.join(NODES)} Default=YES State=UP\n"
        (folder / "slurm.conf").write_text(text)
        self.env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "OMP_NUM_THREADS": "1"}
        self.started: list[subprocess.Popen] = []

    def start(self) -> None:
        """Start munged, the controller and both nodes."""
        munge = self.folder / "munge"
        (munge / "key").write_bytes(os.urandom(1024))
        (munge / "key").chmod(0o400)
        names = ("socket", "key-file", "pid-file", "log-file", "seed-file")
        files = [f"--{name}={munge / name.removesuffix('-file')}" for name in names]
        self._run("munged", "--foreground", "--force", *files)
        while not (munge / "socket").exists():
            time.sleep(0.1)
        self._run("slurmctld", "-D", "-c")
        for node in NODES:
            self.start_node(node)

    def start_node(self, name: str) -> None:
        """Start the daemon of a node."""
        self._run("slurmd", "-D", "-N", name)

    def lose(self, node: str) -> None:
        """Kill the daemon of a node and all that runs on it, as when its power fails."""
        (daemon,) = (each for each in self.started if each.args[-1] == node)
        daemon.kill()
        self._kill_jobs(node)

    def _kill_jobs(self, node: str) -> None:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                environment = process.environ()
                if environment.get("SLURMD_NODENAME") == node and self._ours(environment):
                    keeper = process.parent()
                    process.kill()
                    if keeper and keeper.name().startswith("slurmstepd"):
                        keeper.kill()

    def ask(self, *command: str) -> str:
        """Return what a command of SLURM's says."""
        done = subprocess.run(command, env=self.env, capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self) -> None:
        """End all that was started."""
        self.ask("scancel", "--me")
        for node in NODES:
            self._kill_jobs(node)
        for process in reversed(self.started):
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

    def _ours(self, environment: dict[str, str]) -> bool:
        return environment.get("SLURM_CONF") == self.env["SLURM_CONF"]

    def _run(self, *command: str) -> None:
        log = (self.folder / "daemons.log").open("a")
        self.started.append(subprocess.Popen(command, env=self.env, stdout=log, stderr=log))


def project(folder: Path, epochs: int) -> None:
    """Make the settings of four tiny cells, and prepare their data."""
    yaml = YAML()
    params = yaml.load(ROOT / "params.yaml")
    for key, value in {**SMALL, "recipes.synthetic.epochs": epochs}.items():
        *parents, last = key.split(".")
        node = params
        for parent in parents:
            node = node[parent]
        node[last] = value
    folder.mkdir()
    yaml.dump(params, folder / "params.yaml")
    for stage in ("draw", "prepare"):
        command = [sys.executable, "-m", f"stages.{stage}"]
        subprocess.run(command, cwd=folder, env=environment(), check=True)


def environment() -> dict[str, str]:
    """Return the environment of this code's commands."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def sums(folder: Path) -> dict[str, str]:
    """Return the checksum of each finished training's weights."""
    files = sorted(folder.glob(".cache/trained/*/weights.safetensors"))
    return {file.parent.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def trial(slurm: Slurm, folder: Path) -> None:
    """Submit, lose a node, wait for all four; print what is seen and when."""
    begin = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - begin:6.0f} s  {what}", flush=True)

    command = [sys.executable, "-m", "eacnet.cli", "train-cells", "--executor", "slurm"]
    env = {**slurm.env, "PYTHONPATH": str(ROOT)}
    log = (folder / "driver.log").open("w")
    driver = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    squeue = ("squeue", "--noheader", "--array", "--format=%i %T %N")
    seen, signalled, lost, back = "", 0.0, False, False
    while driver.poll() is None:
        queue = "; ".join(slurm.ask(*squeue).splitlines())
        nodes = "; ".join(slurm.ask("sinfo", "--noheader", "--Node", "--format=%N %T").splitlines())
        if (state := f"{queue or 'no jobs'} | {nodes}") != seen:
            seen = state
            say(state)
        checkpoints = len(list(folder.glob(".cache/training/*.pt")))
        on_first = [line.split()[0] for line in queue.split("; ") if line.endswith("RUNNING n1")]
        if checkpoints >= 2 and not signalled and on_first:
            slurm.ask("scancel", "--signal=USR2", on_first[0])
            signalled = time.monotonic()
            say(f"{on_first[0]} gets the signal that comes before its time is over")
        if signalled and not lost and time.monotonic() > signalled + 5:
            slurm.lose("n2")
            lost = True
            say("n2 is lost: its slurmd and what ran on it are killed")
        if lost and not back and "n2 down" in nodes:
            slurm.started = [each for each in slurm.started if each.args[-1] != "n2"]
            slurm.start_node("n2")
            back = True
            say("n2 is started again")
        time.sleep(1)
    say(f"train-cells ends with {driver.returncode}")
    print((folder / "driver.log").read_text())
    if driver.returncode or not lost:
        sys.exit("the trial failed" if driver.returncode else "no node was lost: --epochs higher")


def main() -> None:
    """Make the trial in a scratch folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    epochs = parser.parse_args().epochs
    if os.geteuid() or not all(map(shutil.which, ("munged", "slurmctld", "slurmd", "sbatch"))):
        sys.exit("error: needs root, and SLURM: apt-get install slurm-wlm munge")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "project")
        project(folder, epochs)
        slurm = Slurm(Path(scratch, "slurm"))
        try:
            slurm.start()
            trial(slurm, folder)
        finally:
            slurm.stop()
        for file in sorted(folder.glob(".cache/cells/synthetic/*/log.txt")):
            said = file.read_text().splitlines()
            print(*(line for line in said if line.startswith(("==", "goes"))), sep="\n")
        there = sums(folder)
        (folder / ".cache/trained").rename(folder / "there")
        command = [sys.executable, "-m", "eacnet.cli", "train-cells"]
        subprocess.run(command, cwd=folder, env=environment(), check=True)
        same = sum(there.get(key) == value for key, value in sums(folder).items())
        print(f"{same} of {len(there)} have the bits of trainings that nothing interrupted")


if __name__ == "__main__":
    main()
