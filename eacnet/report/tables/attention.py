"""What the calibration of the main network looks at, overall and by class."""

import math

import pandas as pd

from eacnet.report.results import Results
from eacnet.report.tables.table import as_frame, table
from eacnet.report.tables.text import TIMES


def _note(results: Results) -> str:
    facts, grid = results.attention, results.attention["positions"]
    most = "up to " if "sizes" in grid else ""
    alike = math.exp(facts["entropy_nats"])
    return (
        f"Each of the {most}{grid['height']} {TIMES} {grid['width']} positions of the coarse scores"
        f" attends to {most}{grid['keys']:,} positions; these are means over the"
        f" {facts['frames']:,} frames. Gamma is the weight of what is added to the scores, change"
        " the root mean square of that, constant the share of its square that is one constant for"
        " each class and frame: that shifts a class as a whole and cannot follow its edges. Low"
        f" entropy: attention picks a few positions, as many as {alike:.1f} that count alike; in"
        " percent, of attention that is spread evenly. A distance near that of evenly spread"
        " attention: it does not prefer what is near."
    )


@table("attention", "What calibration looks at", _note)
def attention(results: Results) -> pd.DataFrame:
    """One row: the main network, where it attends."""
    facts = results.attention or {}
    if "positions" not in facts:
        return pd.DataFrame()
    alike = facts["change_everywhere_alike"]
    return as_frame(
        {
            "calibration": [facts["calibration"]],
            "gamma": [facts["gamma"]],
            "change": [facts["change"]],
            "constant (%)": [None if alike is None else 100 * alike],
            "entropy in nats": [facts["entropy_nats"]],
            "entropy (%)": [100 * facts["entropy_share"]],
            "distance (px)": [facts["distance_px"]],
            "evenly spread (px)": [facts["distance_px_uniform"]],
        }
    )


@table(
    "attention_classes",
    "What calibration looks at, by class",
    "By the class that the coarse scores give to the position that looks; columns as above.",
)
def attention_classes(results: Results) -> pd.DataFrame:
    """One row a class that the coarse scores give anywhere."""
    found = (results.attention or {}).get("per_class", {})
    rows = [
        {
            "coarse class": name,
            "positions (%)": 100 * own["positions"],
            "entropy (%)": 100 * own["entropy_share"],
            "distance (px)": own["distance_px"],
            "evenly spread (px)": own["distance_px_uniform"],
        }
        for name, own in found.items()
        if own
    ]
    return pd.DataFrame(rows)
