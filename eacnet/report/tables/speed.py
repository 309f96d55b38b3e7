"""The speed of the networks on each machine that has been timed."""

from collections.abc import Sequence
from typing import Any

from eacnet.report.tables.cells import scaled
from eacnet.report.tables.table import MISSING, TIMES, Cell, Number, escape, markdown

Machine = dict[str, Any]
FOLDED = {True: "yes", False: "no", None: MISSING}
NAMES = {"erfnet": "ERFNet with its decoder", "lraspp": "torchvision's LRASPP, MobileNetV3"}


def preferred(machines: Sequence[Machine]) -> list[Machine]:
    """Return one result of each device: that of plan "full" where there is one.

    Args:
        machines: the files of reports/speed.
    """
    chosen: dict[str, Machine] = {}
    for machine in machines:
        device = machine["machine"]["device"]
        if device not in chosen or machine["plan"] == "full":
            chosen[device] = machine
    return list(chosen.values())


def speed(machines: Sequence[Machine]) -> str:
    """Return the tables of each machine.

    Args:
        machines: the files of reports/speed.
    """
    parts = ["## Speed\n"]
    if not machines:
        parts.append("No machine has been timed yet; `dvc repro benchmark` times this one.\n")
        return "\n".join(parts)
    parts.append(
        "From the 8-bit image in host memory to the label map in host memory, which is what a user"
        " waits for; all networks take turns, so that a drifting machine hits all alike."
        " *published* is the form of the authors' code: eager PyTorch in fp32, the attention matrix"
        " written out, scores of all classes at full size. Memory is the peak of a process above"
        " what its libraries take; on a GPU, what PyTorch allocates there. MACs are"
        " multiply-accumulates of one image, those of the attention included. The limit is the time"
        " that they would take at the rate of large matrix products on the same machine. Labels are"
        " compared with the network in fp32 eager.\n"
    )
    for machine in machines:
        parts += [f"### {machine['machine']['device']}\n", _facts(machine), _rows(machine["rows"])]
        if machine["modules"]:
            parts += ["Where the time goes, in percent, fp32:\n", _modules(machine["modules"])]
        if machine["skipped"]:
            parts.append(_skipped(machine["skipped"]))
    return "\n".join(parts)


def _facts(machine: Machine) -> str:
    limits = [
        f"{Number(rate, decimals=0)} GFLOP/s in {name.removesuffix('_gflops')}"
        for name, rate in machine["limits"].items()
        if rate is not None
    ]
    threads, load = machine["provenance"]["threads"], machine["load_average_before"]
    weights = machine["weights"]
    drawn = "random weights" if weights == "random" else f"weights {escape(weights)}"
    # Older results don't tell.
    image = f"image: {escape(machine['images']['timed'])}, " if "images" in machine else ""
    return (
        f"{machine['classes']} classes, {drawn}, {image}{threads} threads, plan {machine['plan']};"
        f" limits {' and '.join(limits)}; load average before {Number(load, decimals=1)}.\n"
    )


def _rows(rows: Sequence[dict[str, Any]]) -> str:
    published = {contest(row): row["median_ms"] for row in rows if row["form"] == "published"}
    columns = (
        "network",
        "runtime",
        "precision",
        "norms folded",
        "image",
        "median (ms)",
        "p5 to p95 (ms)",
        "FPS",
        f"{TIMES} published",
        "memory (MB)",
        "params (M)",
        "MACs (G)",
        "at the limit (ms)",
        "of the limit (%)",
        "same labels (%)",
        "rounds",
    )
    ordered = sorted(rows, key=lambda row: (row["height"] * row["width"], row["batch"]))
    return markdown(columns, [_row(row, published.get(contest(row))) for row in ordered])


def _row(row: dict[str, Any], published: float | None) -> list[Cell]:
    median = row["median_ms"]
    spread = MISSING if median is None else f"{row['p5_ms']:,.1f} to {row['p95_ms']:,.1f}"
    batch = f"{row['batch']} of " if row["batch"] > 1 else ""
    return [
        network_name(row),
        form_name(row),
        row["precision"],
        FOLDED[row["folded"]],
        f"{batch}{row['height']} {TIMES} {row['width']}",
        Number(median, decimals=1) if row["reason"] is None else row["reason"],
        spread,
        Number(row["fps"], decimals=1),
        Number(published / median if published and median else None),
        Number(row["peak_memory_mb"], decimals=0),
        Number(scaled(row["parameters"], 1e6), decimals=3),
        Number(scaled(row["macs"], 1e9)),
        Number(row["limit_ms"], decimals=1),
        Number(scaled(row["share_of_limit"], 0.01), decimals=0),
        Number(scaled(row["agreement"], 0.01), decimals=3),
        Number(row["rounds"], decimals=0),
    ]


def _modules(rows: Sequence[dict[str, Any]]) -> str:
    parts = list(dict.fromkeys(part for row in rows for part in row["shares"]))
    return markdown(
        ["network", "runtime", "image", *parts],
        [
            [
                network_name(row),
                form_name(row),
                f"{row['height']} {TIMES} {row['width']}",
                *(Number(row["shares"].get(part), decimals=1) for part in parts),
            ]
            for row in rows
        ],
    )


def _skipped(skipped: Sequence[dict[str, str]]) -> str:
    names = [
        f"{network_name(each)} in {each['form']} {each['precision']} ({escape(each['reason'])})"
        for each in skipped
    ]
    return f"Not timed: {'; '.join(names)}.\n"


def network_name(row: dict[str, Any]) -> str:
    """Name the network in words."""
    backbone, _, calibration = row["network"].partition("-")
    if not calibration:
        return NAMES[backbone]
    return f"{backbone}, {'no calibration' if calibration == 'none' else calibration}"


def form_name(row: dict[str, Any]) -> str:
    """Name the form; of "auto" also what it picked."""
    return f"auto: {row['runtime']}" if row["form"] == "auto" and row["runtime"] else row["form"]


def contest(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return what rows have in common whose medians are compared."""
    return tuple(row[name] for name in ("network", "height", "width", "batch"))
