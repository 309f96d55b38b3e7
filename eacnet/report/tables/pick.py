"""What to pick: for a frame rate that a user needs, the most accurate network that holds it."""

from typing import Any

import pandas as pd

from eacnet.config.names import AGREEMENT
from eacnet.report.results import Results
from eacnet.report.tables.balance import Point, front, points, shown_size
from eacnet.report.tables.columns import network_name, scaled
from eacnet.report.tables.table import as_frame, table
from eacnet.report.tables.text import TIMES

# Frames per second; from the first on that nothing holds, no more are listed.
TARGETS = (5, 10, 20, 30, 60, 120, 240)
COLUMNS = ("device", "image", "FPS wanted", "network", "runtime", "precision", "mIoU (%)")
COLUMNS += ("mIoU (%) std", "FPS", "median (ms)", "same labels (%)", "remark")


@table(
    "pick",
    "What to pick",
    "For a frame rate that is needed, the most accurate of this ablation's networks that holds it"
    " on that device: one image at a time, from the 8-bit image to the label map, in its fastest"
    " runtime and precision. mIoU was scored in fp32, so other precisions count where"
    f" {100 * AGREEMENT:g} % of the labels are the same. On a machine of"
    " your own: eacnet pick --fps 20 --size 360x480.",
)
def pick(results: Results) -> pd.DataFrame:
    """One row a device and frame rate."""
    rows: list[dict[str, Any]] = []
    found = points(results, any_runtime=True)
    for device in dict.fromkeys(one.device for one in found):
        here = [one for one in found if one.device == device]
        size = shown_size(results, here)
        best = front([one for one in here if one.size == size])
        if not best:
            continue
        image = f"{size[0]} {TIMES} {size[1]}"
        for target in TARGETS:
            # From slow to fast is from accurate to less so.
            chosen = next((one for one in best if one.fps >= target), None)
            rows.append({"device": device, "image": image, "FPS wanted": target})
            if chosen is None:
                fastest = network_name(best[-1].backbone, best[-1].calibration)
                rows[-1]["remark"] = (
                    f"nothing holds it; the fastest is {fastest}: {best[-1].fps:.1f}"
                )
                break
            rows[-1] |= _described(chosen)
    return as_frame({name: [row.get(name) for row in rows] for name in COLUMNS})


def _described(one: Point) -> dict[str, Any]:
    return {
        "network": network_name(one.backbone, one.calibration),
        "runtime": one.runtime,
        "precision": one.precision,
        "mIoU (%)": one.miou,
        "mIoU (%) std": one.std,
        "FPS": one.fps,
        "median (ms)": one.median_ms,
        "same labels (%)": scaled(one.agreement, 0.01),
    }
