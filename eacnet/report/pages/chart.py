"""The chart of accuracy against speed as the browser draws it: one point a measured network."""

from typing import Any

from eacnet.report.figures.style import calibration_look
from eacnet.report.results import Results
from eacnet.report.tables.balance import points, shown_size
from eacnet.report.tables.text import TIMES


def chart(results: Results) -> list[dict[str, Any]]:
    """Return every point with its device, size, precision and calibration; those shown first."""
    found = points(results)
    rows = []
    for device in dict.fromkeys(one.device for one in found):
        here = [one for one in found if one.device == device]
        first = shown_size(results, here)
        for one in sorted(here, key=lambda one: (one.size != first, one.size)):
            rows.append(
                {
                    "device": device,
                    "size": f"{one.size[0]} {TIMES} {one.size[1]}",
                    "network": one.name,
                    "backbone": one.backbone,
                    "plain": one.calibration == "none",
                    "color": calibration_look(one.calibration)[0],
                    "precision": one.precision,
                    "runtime": one.runtime,
                    "fps": round(one.fps, 3),
                    "ms": round(one.median_ms, 3),
                    "miou": round(one.miou, 4),
                    "scored": one.as_scored,
                }
            )
    return rows
