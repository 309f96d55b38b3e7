"""The benchmark: what each entry takes in time and memory, and what that is worth."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eacnet.benchmark.cases import contender, cost, network
from eacnet.benchmark.entries import Entry, entries
from eacnet.benchmark.latency import interleave, summarise, warm_up
from eacnet.benchmark.matmul_rate import highest, limit_ms, limits
from eacnet.benchmark.samples import DRAWN, ImageSource
from eacnet.benchmark.time_by_part import module_shares
from eacnet.benchmark.workers import Contender, ContenderError, Worker
from eacnet.config.benchmark import Benchmark
from eacnet.errors import InputError
from eacnet.inference.runtimes import libraries
from eacnet.models import load_model
from eacnet.progress import progress

# What is timed, by the name that rows give it.
SCOPE = "label map"
SCOPES = {SCOPE: "uint8 image in host memory to uint8 label map in host memory"}
UNMEASURED = (
    "runtime",
    "folded",
    "attention_kernel",
    "choice",
    "median_ms",
    "p5_ms",
    "p95_ms",
    "fps",
    "peak_memory_mb",
    "agreement",
    "warm_up",
)


def benchmark(
    plan: Benchmark,
    model: str,
    device: torch.device,
    seed: int,
    weights: Path | None = None,
    pictures: ImageSource = DRAWN,
) -> dict[str, Any]:
    """Measure all that a plan names.

    Args:
        plan: what and how long.
        model: the network that "model" stands for, as "<backbone>-<calibration>".
        device: where.
        seed: of the random weights.
        weights: those of a trained network, used where they are the timed network's; all then have
            as many classes as it.
        pictures: what is predicted, and where int8 takes its ranges from.

    Raises:
        InputError: nothing could be timed.
    """
    classes = plan.classes if weights is None else load_model(weights).num_classes
    build = partial(
        contender,
        classes=classes,
        seed=seed,
        device=device.type,
        weights=weights,
        pictures=pictures,
    )
    shown, scaling = entries(plan.rows, model), entries(plan.scaling, model)
    todo = list(dict.fromkeys([*shown, *scaling]))
    before = limits(device)
    rows, skipped = time_entries(todo, plan, build, pictures.timed, device.type)
    limit = highest(before, limits(device))
    if not any(row["median_ms"] for row in rows.values()):
        reasons = [*(each["reason"] for each in skipped), *(row["reason"] for row in rows.values())]
        raise InputError(f"nothing could be timed: {reasons[0]}")
    for entry, row in rows.items():
        row |= cost(entry, classes)
        least, median = limit_ms(row, limit), row["median_ms"]
        row["limit_ms"] = least and round(least, 3)
        row["share_of_limit"] = round(least / median, 4) if least and median else None
    return {
        "limits": limit,
        "classes": classes,
        "weights": "random" if weights is None else weights.name,
        "images": pictures.description,
        "scopes": SCOPES,
        "rows": [rows[entry] for entry in shown if entry in rows],
        "scaling": [rows[entry] for entry in scaling if entry in rows],
        "modules": [
            {**entry.description, "shares": _shares(entry, classes, seed, device.type, pictures)}
            for entry in progress(entries(plan.modules, model), desc="modules", leave=False)
        ],
        "skipped": skipped,
    }


def time_entries(
    entries: Sequence[Entry],
    plan: Benchmark,
    build: Callable[[Entry], Contender],
    images: Callable[[int, int, int], np.ndarray],
    device: str,
) -> tuple[dict[Entry, dict[str, Any]], list[dict[str, str]]]:
    """Time entries, those of one image size and batch in interleaved rounds.

    Args:
        entries: what is timed, each once.
        plan: how long.
        build: makes the contender of an entry, in a process of its own; is pickled.
        images: batch, height, width -> uint8 images (batch,height,width,3).
        device: "cpu" or "cuda".

    Returns:
        For each entry its row of the result: what was measured, or None and the reason where memory
        ran out. And what could not run here (a runtime that isn't installed, a
        precision that it doesn't know), with the reason.
    """
    rows: dict[Entry, dict[str, Any]] = {}
    skipped: dict[tuple[str, ...], dict[str, str]] = {}
    by_shape = sorted(entries, key=lambda entry: entry.shape)
    for shape, group in groupby(by_shape, key=lambda entry: entry.shape):
        for entry, outcome in _time_group(list(group), plan, build, images(*shape), device).items():
            first = {**entry.description, "scope": SCOPE}
            if not isinstance(outcome, ContenderError):
                rows[entry] = {**first, **outcome, "reason": None}
            elif outcome.memory:
                nothing = dict.fromkeys(UNMEASURED)
                rows[entry] = {**first, **nothing, "rounds": 0, "reason": "out of memory"}
            else:
                what = (entry.network, entry.form, entry.precision)
                named = dict(zip(("network", "form", "precision"), what, strict=True))
                skipped.setdefault(what, {**named, "reason": str(outcome)})
    return rows, list(skipped.values())


def _shares(
    entry: Entry, classes: int, seed: int, device: str, pictures: ImageSource
) -> dict[str, float]:
    model, image = network(entry, classes, seed), pictures.timed(*entry.shape)[0]
    shares = module_shares(model, entry.form, image, device)
    return {part: round(share, 2) for part, share in shares.items()}


def agreement(labels: np.ndarray, reference: np.ndarray) -> float:
    """Return the share of pixels that have the same label in both maps."""
    return float(np.mean(labels == reference))


def _time_group(
    entries: Sequence[Entry],
    plan: Benchmark,
    build: Callable[[Entry], Contender],
    images: np.ndarray,
    device: str,
) -> dict[Entry, dict[str, Any] | ContenderError]:
    """Time entries of one shape; all of their processes are alive until the last round is over."""
    workers: dict[Entry, Worker] = {}
    failures: dict[Entry, ContenderError] = {}
    warm: dict[Entry, tuple[int, bool]] = {}
    size = "x".join(map(str, images.shape[1:3]))
    with ExitStack() as stack:
        for entry in progress(entries, desc=f"warming up, {size}", unit="entry", leave=False):
            try:
                worker = Worker(partial(build, entry), images, device, libraries(entry.form))
                stack.enter_context(closing(worker))
                warm[entry] = warm_up(worker.run, plan.warm_up)
                workers[entry] = worker
            except ContenderError as failure:
                failures[entry] = failure
        runs = {entry: _run(entry, worker, failures) for entry, worker in workers.items()}
        times = interleave(runs, plan.rounds, plan.least_rounds, plan.seconds)
        done = [entry for entry in workers if entry not in failures]
        return failures | {
            entry: _outcome(entry, workers, times[entry], warm[entry]) for entry in done
        }


def _run(
    entry: Entry, worker: Worker, failures: dict[Entry, ContenderError]
) -> Callable[[], float]:
    """Return one pass that, should it fail, is not tried again and holds up none of the others."""

    def run() -> float:
        if entry not in failures:
            try:
                return worker.run()
            except ContenderError as failure:
                failures[entry] = failure
        return float("nan")

    return run


def _outcome(
    entry: Entry,
    workers: Mapping[Entry, Worker],
    times: Sequence[float],
    warm: tuple[int, bool],
) -> dict[str, Any]:
    """Return what was measured of an entry."""
    worker, reference = workers[entry], workers.get(entry.reference)
    figures = summarise(times)
    figures["fps"] *= entry.batch
    figures["peak_memory_mb"] = worker.peak_memory()
    return {
        **worker.facts,
        **{key: round(value, 3) for key, value in figures.items()},
        "agreement": reference and round(agreement(worker.labels, reference.labels), 6),
        "rounds": len(times),
        "warm_up": {"passes": warm[0], "settled": warm[1]},
    }
