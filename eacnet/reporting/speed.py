"""The speed of a network on each machine that has been timed."""

from collections.abc import Sequence
from typing import Any

from eacnet.reporting.tables import TIMES, Number, markdown


def speed(machines: Sequence[dict[str, Any]]) -> str:
    """Return one table for each machine.

    Args:
        machines: the files of reports/speed.
    """
    parts = [
        "## Speed\n",
        "One image at a time. *logits*: from the normalised image on the device to the scores at"
        " low resolution. *label map*: from the 8-bit image in host memory to the label map in host"
        " memory, which is what a user waits for. FPS is that of the median.\n",
    ]
    if not machines:
        parts.append("No machine has been timed yet; `dvc repro benchmark` times this one.\n")
    for machine in machines:
        network = machine["network"]
        facts = [f"Backbone {network['backbone']}", f"calibration {network['calibration']}"]
        facts += [f"{machine['classes']} classes"] if "classes" in machine else []
        facts += [machine["precision"]] if "precision" in machine else []
        facts += [f"{machine['runtime']} PyTorch"] if "runtime" in machine else []
        facts += [f"{machine['rows'][0]['rounds']} rounds"]
        rows = [
            [
                f"{row['height']} {TIMES} {row['width']}",
                row["scope"],
                Number(row["median_ms"]),
                Number(row["p95_ms"]),
                Number(row["fps"], decimals=1),
            ]
            for row in machine["rows"]
        ]
        heads = ["image", "scope", "median (ms)", "95th percentile (ms)", "FPS"]
        title = f"### {machine['machine']['device']}\n"
        parts += [title, f"{', '.join(facts)}.\n", markdown(heads, rows)]
    return "\n".join(parts)
