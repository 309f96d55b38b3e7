"""What to pick on this machine: candidates are timed, the most accurate first, until one holds."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from eacnet.benchmark.candidates import Candidate
from eacnet.benchmark.latency import interleave, summarise, timed, warm_up
from eacnet.benchmark.samples import DRAWN, ImageSource
from eacnet.inference.auto import candidates, choose, plain_labels
from eacnet.inference.predictor import Predictor
from eacnet.layout import PREPARED
from eacnet.progress import progress

WARM_UP, SECONDS, ROUNDS, LEAST = 2, 5, 100, 10
# Takes minutes to build on a processor, for each network.
SLOW_TO_BUILD = {"cpu": "compile"}
Row = dict[str, Any]


def pick(
    found: Sequence[Candidate], fps: float, size: tuple[int, int], device: torch.device
) -> list[Row]:
    """Time candidates in order, each in its fastest runtime, up to the first that holds `fps`.

    Args:
        found: the most accurate first.
        fps: images a second that are needed, one at a time.
        size: height and width of the image in pixels.
        device: where they run.

    Returns:
        A row for each that was timed: "weights", "network", "miou" (percent), "runtime",
        "precision", "agreement" (share of labels as in eager fp32), "median_ms", "p95_ms", "fps",
        "holds". If any holds the rate, it is the last.

    Raises:
        InputError: the image is too small for a network.
    """
    rows: list[Row] = []
    with progress(total=len(found), desc="pick", unit="network") as bar:
        for one in found:
            row = time_candidate(one, size, device)
            rows.append({**row, "holds": row["fps"] >= fps})
            bar.update()
            if rows[-1]["holds"]:
                break
    return rows


def time_candidate(one: Candidate, size: tuple[int, int], device: torch.device) -> Row:
    """Find a network's fastest runtime and precision that keep its labels, and time it in them.

    On frames of its dataset where its prepared store is at hand; otherwise on a drawn scene, which
    says too little of int8.
    """
    one.model.check_size(*size)
    store = PREPARED / one.model.card.dataset
    prepared = bool(one.model.card.dataset) and (store / "dataset.json").is_file()
    source = ImageSource(store) if prepared else DRAWN
    image = source.timed(1, *size)[0]
    samples = source.samples(*size) if prepared else []
    pairs = [
        pair for pair in candidates("auto", "auto", device, prepared)
        if pair[0] != SLOW_TO_BUILD.get(device.type)
    ]  # fmt: skip

    def opened(runtime: str, precision: str) -> Predictor:
        how = {"runtime": runtime, "precision": precision, "device": device.type}
        return Predictor(one.model, **how, samples=samples if precision == "int8" else None)

    truth = plain_labels(one.model, [image], device)
    predict, choice = choose(pairs, opened, [image], truth)
    run = partial(timed, partial(predict, np.ascontiguousarray(image)))
    warm_up(run, WARM_UP)
    figures = summarise(interleave({"": run}, ROUNDS, LEAST, SECONDS)[""])
    return {
        "weights": str(one.path),
        "network": one.name,
        "miou": one.miou,
        **{name: choice[name] for name in ("runtime", "precision", "agreement")},
        **{name: round(figures[name], 3) for name in ("median_ms", "p95_ms", "fps")},
    }
