"""Accuracy against speed: the trained networks as points, the same for chart, view and table."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from eacnet.config.names import AGREEMENT
from eacnet.report.results import Results
from eacnet.report.tables.columns import named
from eacnet.report.tables.speed import COMMON_SIZE, Timing, form_name, single_images

Size = tuple[int, int]


class Point(NamedTuple):
    """A network that was trained here, as it was timed on one device.

    `miou` and its deviation over the seeds are in percent and were scored in fp32; `agreement` is
    the share of pixels that get the same label as then, None where that was not measured.
    """

    device: str
    size: Size
    backbone: str
    calibration: str
    precision: str
    runtime: str
    fps: float
    median_ms: float
    agreement: float | None
    miou: float
    std: float | None

    @property
    def name(self) -> str:
        """Its network in words."""
        return self.backbone + ("" if self.calibration == "none" else f" + {self.calibration}")

    @property
    def as_scored(self) -> bool:
        """Whether it gives the labels that were scored, as `runtime="auto"` asks for."""
        return self.precision == "fp32" or (self.agreement or 0) >= AGREEMENT


def points(results: Results, any_runtime: bool = False) -> list[Point]:
    """Return the networks of the ablation on every device, at every size and precision.

    Args:
        results: of the experiment.
        any_runtime: take each network in its fastest runtime; otherwise all of one device, size and
            precision are taken in the runtime that most of them were timed in, the fastest of such,
            so that none looks slow because only a slow runtime has timed it.
    """
    scores = {named(group): group["scores"]["miou"] for group in results.groups}
    rows = [
        row
        for row in single_images(results.timed)
        if (row["backbone"], row["calibration"]) in scores
    ]
    found = []
    for (device, size, _, precision), alike in groupby(sorted(rows, key=_contest), key=_contest):
        timed: dict[str, dict[tuple[str, str], Timing]] = {}  # runtime -> network -> row
        for row in sorted(alike, key=lambda row: row["fps"]):
            network = row["backbone"], row["calibration"]
            timed.setdefault("" if any_runtime else row["form"], {})[network] = row
        chosen = max(
            timed.values(), key=lambda one: (len(one), sum(r["fps"] for r in one.values()))
        )
        for network, row in sorted(chosen.items(), key=lambda item: list(scores).index(item[0])):
            score = scores[network]
            figures = row["fps"], row["median_ms"], row.get("agreement")
            how = precision, form_name(row)
            found.append(Point(device, size, *network, *how, *figures, score["mean"], score["std"]))
    return found


def shown_size(results: Results, points: Sequence[Point]) -> Size:
    """Return which size a chart shows: the scored one, or that of the most networks."""
    networks: dict[Size, set[str]] = {}
    for one in points:
        networks.setdefault(one.size, set()).add(one.name)
    if (scored := tuple(results.size)) in networks:
        return scored
    return max(networks, key=lambda size: (len(networks[size]), size == COMMON_SIZE, -size[0]))


def front(points: Sequence[Point]) -> list[Point]:
    """Return those that no other beats in accuracy and speed at once, from slow to fast.

    A point whose labels are not those that were scored takes no part.
    """
    best: list[Point] = []
    for one in sorted(
        (one for one in points if one.as_scored), key=lambda one: (-one.fps, -one.miou)
    ):
        if not best or one.miou > best[-1].miou:
            best.append(one)
    return best[::-1]


def _contest(row: Timing) -> tuple[str, Size, bool, str]:
    """Return what is shown together, in the order in which it is; fp32 before the others."""
    precision = row["precision"]
    return row["device"], (row["height"], row["width"]), precision != "fp32", precision
