"""The timings of all machines as one list and as a table, and which one stands for a network."""

from collections.abc import Sequence
from typing import Any

from eacnet.reporting.spreads import MARKS, calibration_name, scaled
from eacnet.reporting.tables import MISSING, TIMES, Cell, Number, Table, mark_within

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
    """Return every timing: by device, runtime and size.

    Args:
        timed: all timings.
    """
    rates = [Number(row.get("fps"), decimals=1) for row in timed]
    settings = ("device", "height", "width", "batch", "scope")
    rates = mark_within(rates, [tuple(row.get(name) for name in settings) for row in timed])
    columns: dict[str, Sequence[Cell]] = {
        "device": [row["device"] for row in timed],
        "network": [f"{row.get('backbone', MISSING)}, {calibration_name(row)}" for row in timed],
        "runtime": [row["form"] for row in timed],
        "precision": [row.get("precision", MISSING) for row in timed],
        "image": [f"{row['height']} {TIMES} {row['width']}" for row in timed],
        "batch": [Number(row.get("batch"), decimals=0) for row in timed],
        "scope": [row["scope"] for row in timed],
        **{
            f"{heading} (ms)": [Number(row.get(key)) for row in timed]
            for heading, key in (
                ("median", "median_ms"),
                ("5th percentile", "p5_ms"),
                ("95th percentile", "p95_ms"),
            )
        },
        "FPS": rates,
        "peak memory (MB)": [Number(row.get("peak_memory_mb"), decimals=0) for row in timed],
        "of the device's limit (%)": [
            Number(scaled(row.get("share_of_limit"), 0.01), decimals=1) for row in timed
        ],
        "agreement (%)": [Number(scaled(row.get("agreement"), 0.01)) for row in timed],
    }
    classes = sorted({row["classes"] for row in timed if "classes" in row})
    note = (
        "Label map: from the 8-bit image in host memory to the label map in host memory. FPS is"
        " that of the median. Agreement: the share of pixels with the same class as in eager"
        " PyTorch in fp32. Ranked among rows of one device, image, batch and scope."
        f"{f' Networks of {classes[0]} classes.' if len(classes) == 1 else ''} {MARKS}"
    )
    rows = list(zip(*columns.values(), strict=True))
    return Table("speed", "Speed by runtime and size", note, list(columns), rows).without_empty()


def _preference(row: Timing, size: Sequence[int]) -> tuple[bool, bool, int, float]:
    own = (row["height"], row["width"])
    return own == tuple(size), own == COMMON_SIZE, -own[0] * own[1], row["fps"]
