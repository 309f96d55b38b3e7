"""The timings of all machines, and which one stands for a network."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from eacnet.report.results import Results
from eacnet.report.tables.columns import MARKS, network_name, scaled
from eacnet.report.tables.rank import down
from eacnet.report.tables.table import as_frame, table
from eacnet.report.tables.text import TIMES

# The size that papers time at, for datasets whose own size nobody has timed.
COMMON_SIZE = (512, 1024)
# Published figures rarely say what they time; this is what a user waits for.
SCOPE = "label map"
# Whole networks that another name tells more of; any other shows as the benchmark calls it.
KNOWN = {"erfnet": "ERFNet with its decoder", "lraspp": "torchvision's LRASPP, MobileNetV3"}
Timing = dict[str, Any]


def representative(
    rows: Sequence[Timing], backbone: str, calibration: str, size: Sequence[int]
) -> dict[str, Timing]:
    """Return the timing that stands for a network on each device.

    It is the fastest in fp32, in which the scores were taken, of one image at a time, from the
    8-bit image to the label map; at `size` if that was timed, otherwise at COMMON_SIZE, otherwise
    at the smallest size.

    Args:
        rows: timings with their device.
        backbone: as in the ablation.
        calibration: as in the ablation.
        size: height and width in pixels of what was scored.
    """
    chosen: dict[str, Timing] = {}
    for row in single_images(rows):
        same = (row["backbone"], row["calibration"]) == (backbone, calibration)
        if not same or row.get("precision", "fp32") != "fp32":
            continue
        other = chosen.get(row["device"])
        if other is None or _preference(row, size) > _preference(other, size):
            chosen[row["device"]] = row
    return chosen


def single_images(rows: Sequence[Timing]) -> list[Timing]:
    """Return the timings of one image at a time, from the 8-bit image to the label map."""
    return [
        row for row in rows
        if row.get("batch", 1) == 1 and row.get("scope") == SCOPE and row.get("fps")
    ]  # fmt: skip


@table(
    "speed",
    "Speed by runtime and size",
    "From the 8-bit image in host memory to the label map in host memory, which is what a user"
    " waits for; all networks take turns, so that a drifting machine hits all alike. In"
    " brackets behind the median its 5th and 95th percentile; FPS is that of the median. Published"
    " form: eager PyTorch in fp32, the attention matrix written out, scores of all classes at full"
    " size. Memory is the peak of a process above what its libraries take; on a GPU, what PyTorch"
    " allocates there."
    " Limit: the time that the multiply-accumulates of one image would take at the rate of large"
    " matrix products on the same device. Same labels: the share of pixels with the class that the"
    " network has in eager fp32. Ranked among rows of one device, image, batch and number of"
    f" classes. {MARKS}",
    marks=down("FPS", ["device", "classes", "image", "batch"]),
    missing="No machine has been timed yet; `dvc repro benchmark` times this one.",
)
def speed(results: Results) -> pd.DataFrame:
    """One row a timing: by device, network, runtime, precision, size and batch."""
    timed = sorted(
        results.timed, key=lambda r: (r["device"], r["height"] * r["width"], r.get("batch", 1))
    )

    def figures(key: str, unit: float = 1) -> list[float | None]:
        return [scaled(row.get(key), unit) for row in timed]

    published = {_contest(row): row["fps"] for row in timed if row["form"] == "published"}
    first = [published.get(_contest(row)) for row in timed]
    pairs = zip(timed, first, strict=True)
    columns = {
        "device": [row["device"] for row in timed],
        "network": [timed_name(row) for row in timed],
        "runtime": [form_name(row) for row in timed],
        "precision": [row["precision"] for row in timed],
        "norms folded": [{True: "yes", False: "no"}.get(row.get("folded")) for row in timed],
        "image": [f"{row['height']} {TIMES} {row['width']}" for row in timed],
        "batch": [row.get("batch", 1) for row in timed],
        "classes": [row["classes"] for row in timed],
        "median (ms)": figures("median_ms"),
        "median (ms) low": figures("p5_ms"),
        "median (ms) high": figures("p95_ms"),
        "FPS": figures("fps"),
        f"{TIMES} published form": [
            r["fps"] / fps if r["fps"] and fps else None for r, fps in pairs
        ],
        "peak memory (MB)": figures("peak_memory_mb"),
        "parameters (M)": figures("parameters", 1e6),
        "MACs (G)": figures("macs", 1e9),
        "at the limit (ms)": figures("limit_ms"),
        "share of time at the limit (%)": figures("share_of_limit", 0.01),
        "same labels (%)": figures("agreement", 0.01),
        "rounds": figures("rounds"),
        "remark": [row.get("reason") for row in timed],
    }
    return as_frame(columns)


@table(
    "parts",
    "Where the time goes",
    "In percent of the time of one image, fp32.",
)
def parts(results: Results) -> pd.DataFrame:
    """One row a network and runtime whose parts were timed."""
    rows = [
        {
            "device": machine["machine"]["device"],
            "network": timed_name(row),
            "runtime": form_name(row),
            "image": f"{row['height']} {TIMES} {row['width']}",
            **{f"{part} (% of time)": share for part, share in row["shares"].items()},
        }
        for machine in results.speed
        for row in machine.get("modules", ())
    ]
    return pd.DataFrame(rows)


@table("machines", "Machines", "What was timed where; the load is the average before it began.")
def machines(results: Results) -> pd.DataFrame:
    """One row a machine: what it ran, and how fast it multiplies large matrices."""
    rows = [
        {
            "device": machine["machine"]["device"],
            "plan": machine["plan"],
            "classes": machine["classes"],
            "weights": machine.get("weights"),
            "image": machine.get("images", {}).get("timed"),
            "threads": machine.get("provenance", {}).get("threads"),
            "load": machine.get("load_average_before"),
            **{
                f"{name.removesuffix('_gflops')} GFLOP/s": rate
                for name, rate in machine.get("limits", {}).items()
            },
            "not timed": "; ".join(
                f"{timed_name(one)} in {one['form']} {one['precision']} ({one['reason']})"
                for one in machine.get("skipped", ())
            ),
        }
        for machine in results.speed
    ]
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    return frame.drop(columns=[name for name in frame if (frame[name] == "").all()])


def timed_name(row: Timing) -> str:
    """Name the network of a timing in words: <backbone>-<calibration>, or a whole network."""
    backbone, _, calibration = row["network"].partition("-")
    return network_name(backbone, calibration) if calibration else KNOWN.get(backbone, backbone)


def form_name(row: Timing) -> str:
    """Name the form; of "auto" also what it picked."""
    runtime = row.get("runtime")
    return f"auto: {runtime}" if row["form"] == "auto" and runtime else row["form"]


def _contest(row: Timing) -> tuple[Any, ...]:
    """Return what rows have in common whose medians are compared."""
    return tuple(row.get(name) for name in ("device", "network", "height", "width", "batch"))


def _preference(row: Timing, size: Sequence[int]) -> tuple[bool, bool, int, float]:
    own = (row["height"], row["width"])
    return own == tuple(size), own == COMMON_SIZE, -own[0] * own[1], row["fps"]
