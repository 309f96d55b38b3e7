"""Cityscapes at its full size without Cityscapes: what each stage takes on this machine.

Some dozens of drawn scenes of 1024x2048 stand for its 5,000 frames: each is there under many names,
as hard links, so that the raw data take little space; the prepared store takes all of it, 8.4 MB a
frame (29 GB), once. Runs in a fresh clone of the last commit in FOLDER, which must not exist and is
removed afterwards unless --keep is given.

    python measurements/cityscapes_rehearsal.py /scratch/rehearsal
    python measurements/cityscapes_rehearsal.py /scratch/rehearsal --val 60 --free 12
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline import change
from stage_cost import run

from eacnet.machine import usable_cores
from eacnet.provenance import cpu_name
from eacnet.scenes import write_dataset

ROOT = Path(__file__).parents[1]
FRAMES = {"train": 2975, "val": 500, "test": 1525}
SIZE = 1024, 2048
FRAME = 4 * SIZE[0] * SIZE[1]
FILES = {
    "leftImg8bit": ["leftImg8bit"],
    "gtFine": ["gtFine_labelIds", "gtFine_instanceIds", "gtFine_color"],
}
# One network, one epoch of a small crop of each frame.
CHANGES = [
    "dataset=cityscapes",
    "datasets.cityscapes.validate=",
    "recipes.cityscapes.epochs=1",
    "recipes.cityscapes.crop=[64,128]",
    "recipes.cityscapes.compile=false",
    "ablation.backbones=[dab]",
    "ablation.calibrations=[pooled]",
    "ablation.seeds=[1]",
]
# Without `analyse`, which takes by far longest for a frame of this size.
STAGES = (
    "stages/dvc.yaml",
    "raw",
    "prepare",
    "train",
    "evaluate",
    "ablation",
    "summarise",
    "report",
)


def main() -> None:
    """Clone, draw, run stage by stage, and print a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    for split, frames in FRAMES.items():
        parser.add_argument(f"--{split}", type=int, default=frames)
    parser.add_argument("--scenes", type=int, default=8, help="different ones of each split")
    parser.add_argument("--cache", default="hardlink,symlink,copy", help="DVC's cache.type")
    parser.add_argument("--free", type=float, default=5, help="GB that must stay free")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    frames = {split: getattr(arguments, split) for split in FRAMES}
    needed = FRAME * (frames["train"] + frames["val"]) / 1e9
    if _free(arguments.folder.resolve().parent) < needed + arguments.free:
        sys.exit(f"error: the store takes {needed:.1f} GB, and {arguments.free} must stay free")
    subprocess.run(["git", "clone", "--quiet", ROOT, arguments.folder], check=True)
    try:
        _rehearse(arguments.folder, frames, arguments.scenes, arguments.cache)
    finally:
        if not arguments.keep:
            shutil.rmtree(arguments.folder)


def _rehearse(clone: Path, frames: dict[str, int], scenes: int, cache: str) -> None:
    change(clone / "params.yaml", CHANGES)
    run(clone, "dvc", "config", "--local", "cache.type", cache)
    _lay_out(clone / "data/raw/cityscapes", clone / "data/drawn", frames, scenes)
    print(f"{cpu_name()}, {usable_cores()} cores; {frames}")
    print("| stage | minutes | CPU minutes | peak memory | with mapped files | store and cache |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for stage in STAGES:
        cost = run(clone, "dvc", "repro", "--single-item", stage, stdout=subprocess.DEVNULL)
        peaks = [
            f"{max(peak.values(), default=0) / 1e9:.2f} GB" for peak in (cost.own, cost.resident)
        ]
        times = [f"{seconds / 60:.1f}" for seconds in (cost.seconds, cost.cpu_seconds)]
        taken = f"{_taken(clone) / 1e9:.1f} GB"
        print("|", " | ".join([stage, *times, *peaks, taken]), "|", flush=True)
    for what in ("recipes.cityscapes.epochs=2", "datasets.cityscapes.allow_overlap=true"):
        change(clone / "params.yaml", [what])
        status = subprocess.run(
            [sys.executable, "-m", "dvc", "status"], cwd=clone, capture_output=True, text=True
        )
        stale = [line.rstrip(":") for line in status.stdout.splitlines() if line[:1].strip()]
        print(f"{what} makes stale: {', '.join(stale)}", flush=True)
        subprocess.run(["git", "checkout", "--quiet", "params.yaml"], cwd=clone, check=True)
        change(clone / "params.yaml", CHANGES)


def _lay_out(raw: Path, drawn: Path, frames: dict[str, int], scenes: int) -> None:
    """Write the official layout: frame i of a split is its scene i modulo `scenes`."""
    write_dataset(drawn, {split: min(scenes, n) for split, n in frames.items()}, *SIZE, seed=1)
    for split, count in frames.items():
        for folder, kinds in FILES.items():
            target = raw / folder / split / "drawn"
            target.mkdir(parents=True)
            for index in range(count):
                source = f"synthetic_{index % scenes:06d}_000000"
                for kind in kinds:
                    os.link(
                        drawn / folder / split / "synthetic" / f"{source}_{kind}.png",
                        target / f"drawn_{index:06d}_000000_{kind}.png",
                    )
    shutil.rmtree(drawn)


def _taken(clone: Path) -> int:
    """Return what the prepared store and DVC's cache take on the disk, in bytes, each file once."""
    folders = (clone / "data/prepared", clone / ".dvc/cache")
    stats = [path.lstat() for folder in folders for path in folder.rglob("*")]
    return sum({stat.st_ino: 512 * stat.st_blocks for stat in stats}.values())


def _free(folder: Path) -> float:
    """Return the free space in GB of 10^9 bytes."""
    return shutil.disk_usage(folder).free / 1e9


if __name__ == "__main__":
    main()
