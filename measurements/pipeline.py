"""How long the default pipeline takes from nothing and with nothing to do, and its peak memory.

Runs in a fresh clone of the last commit, with this environment's programs:

    python measurements/pipeline.py
    python measurements/pipeline.py --set recipes.synthetic.epochs=1 --set "ablation.seeds=[1]"

Memory is the resident memory of a stage and all processes that it started, summed and sampled
every 200 ms: pages that processes share count in each of them, so it is an upper bound.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

from ruamel.yaml import YAML
from stage_cost import run

from eacnet.machine import usable_cores
from eacnet.provenance import cpu_name

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Clone, run, run again, and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change params.yaml in the clone, for a shorter run",
    )
    changes = parser.parse_args().set
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        change(clone / "params.yaml", changes)
        quiet = {"stdout": subprocess.DEVNULL}
        fresh = run(clone, "dvc", "repro", "--force", **quiet)
        again = sorted(run(clone, "dvc", "repro", **quiet).seconds for _ in range(3))[1]
    print(f"\n{cpu_name()}, {usable_cores()} cores")
    print(f"changed: {', '.join(changes)}\n" if changes else "")
    print("| pipeline | measured |\n| --- | ---: |")
    print(f"| `dvc repro` from nothing | {fresh.seconds:.0f} s |")
    print(f"| `dvc repro` with nothing to do | {again:.1f} s |")
    for stage, peak in sorted(fresh.resident.items(), key=lambda item: -item[1]):
        print(f"| peak memory of stage {stage} | {peak / 1e9:.2f} GB |")


def change(path: Path, changes: list[str]) -> None:
    """Apply KEY=VALUE to a YAML file, where a value is YAML itself."""
    yaml = YAML()
    params = yaml.load(path)
    for change in changes:
        key, _, value = change.partition("=")
        *parents, last = key.split(".")
        node = params
        for parent in parents:
            node = node[parent]
        node[last] = yaml.load(value)
    yaml.dump(params, path)


if __name__ == "__main__":
    main()
