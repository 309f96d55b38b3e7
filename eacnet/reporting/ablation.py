"""The ablation: what calibration gains over the same backbone without it, and how sure that is."""

from typing import Any

from scipy.special import stdtrit

from eacnet.evaluation.counts import EFFECT_BAND
from eacnet.reporting.tables import Number, mark_best, markdown

# From fewer runs than this, a confidence interval is a rough guide.
FEW_SEEDS = 5


def ablation(summary: dict[str, Any]) -> str:
    """Return the table of the ablation.

    Args:
        summary: ablation.json.
    """
    groups = summary["groups"]
    columns = {
        "mIoU": "miou",
        "boundary F1": "boundary_f1",
        f"mIoU within {EFFECT_BAND} px": f"band_miou_{EFFECT_BAND}",
        "pixel accuracy": "pixel_accuracy",
    }
    rows = []
    for backbone in dict.fromkeys(group["backbone"] for group in groups):
        own = [group for group in groups if group["backbone"] == backbone]
        scores = [
            mark_best([_spread(group["scores"].get(key)) for group in own])
            for key in columns.values()
        ]
        for group, miou, *others in zip(own, *scores, strict=True):
            gain = _spread((group["gain"] or {}).get("miou"), signed=True)
            names = [backbone, group["calibration"], Number(len(group["seeds"]), decimals=0)]
            rows.append([*names, miou, gain, *others])
    first, *others = columns
    heads = ["backbone", "calibration", "seeds", first, "gain in mIoU", *others]
    several = any(len(group["seeds"]) > 1 for group in groups)
    spread = "mean ± standard deviation over the seeds" if several else "one seed, so no spread"
    return "\n".join(
        [
            "## Ablation\n",
            f"Runs that differ in nothing but calibration and seed, scored on the"
            f" {summary['frames']} frames of split {summary['split']}; {spread}, in percent. The"
            " gain is the difference to the same backbone and seed without calibration. Bold: the"
            " highest mean of a backbone.\n",
            markdown(heads, rows),
        ]
    )


def gain(summary: dict[str, Any], backbone: str, calibration: str) -> str:
    """Say in words what a calibration gains over none, and how sure that is; "" if it is unknown.

    Args:
        summary: ablation.json.
        backbone: as in the ablation.
        calibration: as in the ablation.
    """
    found = [
        group
        for group in summary["groups"]
        if (group["backbone"], group["calibration"]) == (backbone, calibration) and group["gain"]
    ]
    if not found:
        return ""
    spread, seeds = found[0]["gain"]["miou"], len(found[0]["seeds"])
    claim = (
        f"In the ablation, calibration {calibration} changes mIoU by {_spread(spread, signed=True)}"
        " percentage points against the same backbone trained without it"
    )
    if spread["std"] is None:
        return (
            f"{claim}: one pair of runs with one seed, which does not tell how much of that is"
            " chance."
        )
    half = stdtrit(seeds - 1, 0.975) * spread["std"] / seeds**0.5
    low, high = spread["mean"] - half, spread["mean"] + half
    ends = " to ".join(str(Number(float(end), signed=True)) for end in (low, high))
    verdict = "excludes zero" if low > 0 or high < 0 else "includes zero: the gain is not settled"
    caution = f" With {seeds} seeds that is a rough guide." if seeds < FEW_SEEDS else ""
    return (
        f"{claim} (mean ± standard deviation of the differences over {seeds} seeds). The 95 %"
        f" confidence interval of the mean (Student's t) runs from {ends} and {verdict}.{caution}"
    )


def _spread(spread: dict[str, float | None] | None, signed: bool = False) -> Number:
    if spread is None:
        return Number(None)
    return Number(spread["mean"], spread["std"], signed=signed)
