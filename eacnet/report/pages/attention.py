"""What the calibration of the main network looks at, in words and by class."""

import math
from typing import Any

from eacnet.report.tables.table import TIMES, Number, markdown


def attention(facts: dict[str, Any] | None) -> str:
    """Return the section on the attention; "" for a network without calibration.

    A calibration that is no attention looks nowhere: the section says so.

    Args:
        facts: attention.json.
    """
    if not facts or facts["calibration"] == "none":
        return ""
    if "positions" not in facts:
        return (
            f"## What calibration looks at\n\nCalibration `{facts['calibration']}` is no attention:"
            " there is nothing to analyse.\n"
        )
    grid = facts["positions"]
    alike = facts["change_everywhere_alike"]
    effective = math.exp(facts["entropy_nats"])
    rows = [
        ["gamma, the weight of what is added to the scores", Number(facts["gamma"], decimals=4)],
        ["root mean square of what is added to a class score", Number(facts["change"])],
        [
            "of its square: one constant for each class and frame (%)",
            Number(None if alike is None else 100 * alike, decimals=1),
        ],
        ["entropy of the attention (nats)", Number(facts["entropy_nats"])],
        [
            "entropy, in percent of attention that is spread evenly",
            Number(100 * facts["entropy_share"], decimals=1),
        ],
        ["mean distance to what is attended to (px)", Number(facts["distance_px"], decimals=0)],
        [
            "... if attention were spread evenly (px)",
            Number(facts["distance_px_uniform"], decimals=0),
        ],
    ]
    by_class = [
        [
            name,
            Number(100 * own["positions"], decimals=1),
            Number(100 * own["entropy_share"], decimals=1),
            Number(own["distance_px"], decimals=0),
            Number(own["distance_px_uniform"], decimals=0),
        ]
        for name, own in facts["per_class"].items()
        if own
    ]
    heads = ["coarse class", "positions (%)", "entropy (%)", "distance (px)", "evenly spread (px)"]
    return "\n".join(
        [
            "## What calibration looks at\n",
            f"Each of the {grid['height']} {TIMES} {grid['width']} positions of the coarse scores"
            f" attends to {grid['keys']:,} positions; these are means over the"
            f" {facts['frames']:,} frames. Low entropy: it picks a few of them, as many as"
            f" {effective:.1f} that count alike. A distance near that of evenly spread attention:"
            " it does not prefer what is near. What is added in the same amount all over a frame"
            " shifts a class as a whole and cannot follow its edges.\n",
            markdown(["", "value"], rows),
            "By the class that the coarse scores give to the position that looks:\n",
            markdown(heads, by_class),
        ]
    )
