"""Trainings in several processes, on one machine or several: do they fit what params.yaml says."""

import os
import warnings

from eacnet.config.params import Hardware
from eacnet.errors import InputError

# The place of a process among the others, which Fabric reads.
_RANKS = ("RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK")
_RANKS += ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")


def check_processes(hardware: Hardware) -> None:
    """Check that as many processes were started as are wanted, and tell Fabric on how many nodes.

    On one node a single process starts the others. On several, torchrun or srun starts all. Of
    Lightning's variables (LT_...) no other is left: params.yaml says how a training runs.

    Raises:
        InputError: there are more processes, or fewer, or they lie otherwise on the nodes.
    """
    devices, nodes = hardware.devices, hardware.nodes
    wanted = f"hardware.nodes is {nodes} and hardware.devices {devices}"
    started, on_nodes, starter = started_processes()
    if started == 1 and nodes > 1:
        raise InputError(
            f"{wanted}, but this process was started alone; start {devices} on each node by"
            " torchrun or srun (docs/cluster.md)"
        )
    if starter and (started != devices * nodes or on_nodes not in (None, nodes)):
        where = f" on {on_nodes} {'nodes' if on_nodes > 1 else 'node'}" if on_nodes else ""
        raise InputError(
            f"{wanted}, but {starter} started {started} {'processes' if started > 1 else 'process'}"
            f"{where}; let it start {devices} on each of {nodes} (docs/cluster.md), or change"
            " these keys"
        )
    # Said wherever SLURM is installed, also of a training that is to run without it.
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    # Fabric would take them instead of what it is told, and of what the results then say.
    for name in [name for name in os.environ if name.startswith("LT_")]:
        del os.environ[name]
    # `Fabric(num_nodes=)` by its own variable: the call is in code that decides the trained bits.
    os.environ["LT_NUM_NODES"] = str(nodes)


def started_processes() -> tuple[int, int | None, str]:
    """Return how many processes this one was started among, on how many nodes, and by what.

    Nodes are None where the starter doesn't tell; the starter is "" where this process is alone.

    Raises:
        InputError: SLURM gave room for several processes, but srun did not start them; or a
            variable of the starter's holds no number.
    """
    env = os.environ
    for name in _RANKS:
        if name in env:
            _number(name, least=0)
    if "WORLD_SIZE" in env:  # of torchrun, or of Fabric, for those that it starts itself
        return _number("WORLD_SIZE"), None, "torchrun"
    # In a shell of SLURM's, processes are started by hand, as on any other machine.
    if "SLURM_NTASKS" not in env or env.get("SLURM_JOB_NAME") in ("bash", "interactive"):
        return 1, None, ""
    tasks = _number("SLURM_NTASKS")
    if tasks > 1 and "SLURM_STEP_ID" not in env:
        raise InputError(
            f"SLURM has room for {tasks} processes, but this one was started without srun, so the"
            " others will never come; put srun before the command"
        )
    nodes = _number("SLURM_NNODES") if "SLURM_NNODES" in env else 1
    # Where it is missing, Fabric takes all to be on one node.
    env.setdefault("SLURM_NTASKS_PER_NODE", str(tasks // nodes))
    return tasks, nodes, "SLURM"


def _number(name: str, least: int = 1) -> int:
    text = os.environ[name]
    # Python reads no number of thousands of digits.
    if not (text.isdecimal() and len(text) < 10 and int(text) >= least):
        starter = "SLURM" if name.startswith("SLURM") else "torchrun"
        counted = " of nodes" if name.endswith("NNODES") else " of processes"
        raise InputError(
            f"the environment variable {name} is {text[:40]!r}, which is no number"
            f"{counted if least else ''}; unset it, or let {starter} set it"
        )
    return int(text)
