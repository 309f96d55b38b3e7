"""Find the most accurate network that holds a frame rate on this machine.

Networks are timed here, one image at a time from the 8-bit image to the label map, each in its
fastest installed runtime and precision that keep 99.9 % of its labels. The most accurate comes
first, and the first that holds the rate is the pick; exit code 1 where none does. Without --weights
it chooses from what the pipeline of this folder has trained and scored, otherwise the network that
ships.

    eacnet pick --fps 20 --size 360x480
    eacnet pick --fps 30 --size 512x1024 --weights models/camvid/*.safetensors --json
"""

import argparse
import json
from pathlib import Path
from typing import Any

from eacnet.commands import image_size
from eacnet.errors import InputError

HEADINGS = ("network", "mIoU (%)", "runtime", "precision", "same labels (%)", "median (ms)", "FPS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--fps", type=_rate, required=True, help="frames per second that are needed")
    add("--size", type=image_size, required=True, metavar="HxW", help="of the images, in pixels")
    add("--weights", nargs="+", type=Path, default=[], metavar="FILE", help="model files")
    add("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    add("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> None:
    """Time the candidates, print them and the pick.

    Raises:
        InputError: there is no candidate, a file is missing or damaged, the device is not there, or
            nothing holds the rate.
    """
    from eacnet.benchmark.candidates import find_candidates
    from eacnet.benchmark.pick import pick
    from eacnet.machine import device_name, pick_device

    device = pick_device(arguments.device, "--device")
    found = find_candidates(arguments.weights)
    rows = pick(found, arguments.fps, arguments.size, device)
    best = rows[-1] if rows[-1]["holds"] else None
    height, width = arguments.size
    wanted = f"{arguments.fps:g} frames per second at {height}x{width} on {device_name(device)}"
    if arguments.json:
        content = {"fps": arguments.fps, "height": height, "width": width}
        content |= {"device": device_name(device), "timed": rows, "pick": best}
        print(json.dumps(content, indent=2))
    else:
        print(_table(rows))
        if left := len(found) - len(rows):
            print(f"{left} less accurate or without a score: not timed")
        if best:
            print(f"pick for {wanted}: {_described(best)}")
    if best is None:
        fastest = max(rows, key=lambda row: row["fps"])
        raise InputError(f"nothing holds {wanted}; the fastest is {_described(fastest)}")


def _described(row: dict[str, Any]) -> str:
    return (
        f"{row['network']} ({row['weights']}), --runtime {row['runtime']}"
        f" --precision {row['precision']}: {row['fps']:.1f}"
    )


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [HEADINGS] + [
        (
            row["network"],
            "-" if row["miou"] is None else f"{row['miou']:.2f}",
            row["runtime"],
            row["precision"],
            f"{100 * row['agreement']:.3f}",
            f"{row['median_ms']:.1f}",
            f"{row['fps']:.1f}",
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (map(str.ljust, line, widths) for line in cells)
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of frames above 0")
    return rate
