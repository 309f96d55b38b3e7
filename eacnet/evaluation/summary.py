"""The ablation put together: runs that differ in their seed alone, and what calibration gains."""

import statistics
from collections.abc import Sequence

SCORES = (
    "miou",
    "pixel_accuracy",
    "band_miou_3",
    "band_miou_5",
    "band_miou_9",
    "boundary_f1",
)
Scores = dict[str, float]


def summarise(cells: dict[tuple[str, str, int], Scores]) -> list[dict]:
    """Return one entry for each (backbone, calibration), in the order in which they first appear.

    Args:
        cells: (backbone, calibration, seed) -> headline figures in percent.

    Returns:
        Entries with backbone, calibration, seeds, scores (mean and standard deviation over seeds)
        and gain: the same of the difference to calibration "none" of the same backbone and seed,
        None where there is no such run to compare with, and for "none" itself. The deviation is
        the sample's (n - 1), None for a single seed.
    """
    # A score that is not defined on some split (no edges, say) is left out everywhere.
    names = [name for name in SCORES if all(name in cell for cell in cells.values())]
    groups: dict[tuple[str, str], list[int]] = {}
    for backbone, calibration, seed in cells:
        groups.setdefault((backbone, calibration), []).append(seed)
    entries = []
    for (backbone, calibration), seeds in groups.items():
        own = [cells[backbone, calibration, seed] for seed in seeds]
        plain = [cells.get((backbone, "none", seed)) for seed in seeds]
        gain = None
        if calibration != "none" and all(plain):
            gain = {
                name: _spread([a[name] - b[name] for a, b in zip(own, plain, strict=True)])
                for name in names
            }
        entries.append(
            {
                "backbone": backbone,
                "calibration": calibration,
                "seeds": seeds,
                "scores": {name: _spread([cell[name] for cell in own]) for name in names},
                "gain": gain,
            }
        )
    return entries


def headline(entries: list[dict]) -> dict[str, dict[str, float]]:
    """Return mean mIoU and gain by backbone and calibration, to compare across commits."""
    figures: dict[str, dict[str, float]] = {}
    for entry in entries:
        of_backbone = figures.setdefault(entry["backbone"], {})
        of_backbone[entry["calibration"]] = entry["scores"]["miou"]["mean"]
        if entry["gain"]:
            of_backbone[f"gain_{entry['calibration']}"] = entry["gain"]["miou"]["mean"]
    return figures


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {
        "mean": round(statistics.fmean(values), 4),
        "std": None if deviation is None else round(deviation, 4),
    }
