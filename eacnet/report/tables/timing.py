"""The timings of all machines as one list and as a table, and which one stands for a network."""

from collections.abc import Sequence
from typing import Any

from eacnet.report.tables.cells import MARKS, scaled
from eacnet.report.tables.speed import FOLDED, contest, form_name, network_name
from eacnet.report.tables.table import MISSING, TIMES, Cell, Number, Table, mark_within

# The size that papers time at, for datasets whose own size nobody has timed.
COMMON_SIZE = (512, 1024)
# Published figures rarely say what they time; this is what a user waits for.
SCOPE = "label map"

Timing = dict[str, Any]


def timings(machines: Sequence[dict[str, Any]]) -> list[Timing]:
    """Return every row of every machine with the device and the number of classes in it.

    Args:
        machines: the files of reports/speed.
    """
    return [
        {"device": machine["machine"]["device"], "classes": machine["classes"], **row}
        for machine in machines
        for row in machine["rows"]
    ]


def representative(
    rows: Sequence[Timing], backbone: str, calibration: str, size: Sequence[int]
) -> dict[str, Timing]:
    """Return the timing that stands for a network on each device.

    It is the fastest in fp32, in which the scores were taken, of one image at a time, from the
    8-bit image to the label map; at `size` if that was timed, otherwise at COMMON_SIZE, otherwise
    at the smallest size.

    Args:
        rows: as `timings` returns them.
        backbone: as in the ablation.
        calibration: as in the ablation.
        size: height and width in pixels of what was scored.
    """
    chosen: dict[str, Timing] = {}
    for row in rows:
        same = (row.get("backbone"), row.get("calibration")) == (backbone, calibration)
        single = row.get("batch", 1) == 1 and row.get("precision", "fp32") == "fp32"
        if not (same and single and row["scope"] == SCOPE and row.get("fps")):
            continue
        other = chosen.get(row["device"])
        if other is None or _preference(row, size) > _preference(other, size):
            chosen[row["device"]] = row
    return chosen


def speed_table(timed: Sequence[Timing]) -> Table:
    """Return every timing: by device, network, runtime and size.

    Args:
        timed: all timings.
    """

    def figures(key: str, unit: float = 1, decimals: int = 2) -> list[Number]:
        return [Number(scaled(row.get(key), unit), decimals=decimals) for row in timed]

    settings = [(row["device"], row["height"], row["width"], row["batch"]) for row in timed]
    published = {
        (row["device"], contest(row)): row["fps"] for row in timed if row["form"] == "published"
    }
    first = [published.get((row["device"], contest(row))) for row in timed]
    ratios = [row["fps"] / fps if row["fps"] and fps else None
              for row, fps in zip(timed, first, strict=True)]  # fmt: skip
    columns: dict[str, Sequence[Cell]] = {
        "device": [row["device"] for row in timed],
        "network": [network_name(row) for row in timed],
        "runtime": [form_name(row) for row in timed],
        "precision": [row["precision"] for row in timed],
        "norms folded": [FOLDED[row.get("folded")] for row in timed],
        "image": [f"{row['height']} {TIMES} {row['width']}" for row in timed],
        "batch": figures("batch", decimals=0),
        "median (ms)": figures("median_ms"),
        "5th percentile (ms)": figures("p5_ms"),
        "95th percentile (ms)": figures("p95_ms"),
        "FPS": mark_within(figures("fps", decimals=1), settings),
        f"{TIMES} published form": list(map(Number, ratios)),
        "peak memory (MB)": figures("peak_memory_mb", decimals=0),
        "parameters (M)": figures("parameters", 1e6, 3),
        "MACs (G)": figures("macs", 1e9),
        "of the limit (%)": figures("share_of_limit", 0.01, 1),
        "same labels (%)": figures("agreement", 0.01, 3),
        "rounds": figures("rounds", decimals=0),
        "remark": [row.get("reason") or MISSING for row in timed],
    }
    classes = sorted({row["classes"] for row in timed})
    note = (
        "From the 8-bit image in host memory to the label map in host memory; FPS is that of the"
        " median. Published form: eager PyTorch in fp32, the attention matrix written out, scores"
        " of all classes at full size. Limit: the time that the multiply-accumulates would take at"
        " the rate of large matrix products on the same device. Same labels: the share of pixels"
        " with the class that the network has in eager fp32. Ranked among rows of one device, image"
        f" and batch.{f' Networks of {classes[0]} classes.' if len(classes) == 1 else ''} {MARKS}"
    )
    rows = list(zip(*columns.values(), strict=True))
    return Table("speed", "Speed by runtime and size", note, list(columns), rows).without_empty()


def _preference(row: Timing, size: Sequence[int]) -> tuple[bool, bool, int, float]:
    own = (row["height"], row["width"])
    return own == tuple(size), own == COMMON_SIZE, -own[0] * own[1], row["fps"]
