"""The benchmark: what each case takes in time and memory, and what that is worth."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eacnet.benchmark.build import Setup, name_of
from eacnet.benchmark.cases import Case, cases
from eacnet.benchmark.latency import interleave, summarise, warm_up
from eacnet.benchmark.matmul_rate import least_ms, matmul_rates
from eacnet.benchmark.samples import DRAWN, ImageSource
from eacnet.benchmark.steps import time_steps
from eacnet.benchmark.time_by_part import time_by_part
from eacnet.benchmark.workers import CaseError, Predict, Worker
from eacnet.config.benchmark import Plan
from eacnet.config.recipe import Recipe
from eacnet.errors import InputError
from eacnet.inference.runtimes import libraries
from eacnet.models import load_model
from eacnet.progress import progress

# What is timed. Readers look for the name in every row: what others publish is often less.
SCOPE = {"label map": "uint8 image in host memory to uint8 label map in host memory"}
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
    plan: Plan,
    device: torch.device,
    seed: int,
    weights: Path | None = None,
    images: ImageSource = DRAWN,
    recipes: Mapping[str, Recipe] | None = None,
) -> dict[str, Any]:
    """Measure all that a plan names.

    Args:
        plan: what and how long.
        device: where.
        seed: of the random weights.
        weights: those of a trained network that the plan times; all networks then have as many
            classes as it.
        images: what is predicted, and where int8 takes its ranges from.
        recipes: those that the plan's trainings name.

    Raises:
        InputError: the plan doesn't time the trained network, or nothing could be timed.
    """
    shown, scaling, parts = cases(plan.rows), cases(plan.scaling), cases(plan.modules)
    todo = list(dict.fromkeys([*shown, *scaling]))
    classes = plan.classes
    if weights is not None:
        trained = load_model(weights)
        classes, name = trained.num_classes, name_of(trained)
        timed = [case.network for case in [*todo, *parts]]
        named = dict.fromkeys([*timed, *(n for steps in plan.training for n in steps.networks)])
        if name not in named:
            raise InputError(f"{weights} holds {name}; this plan times {', '.join(named)}")
    setup = Setup(classes, seed, device.type, images, weights)
    before = matmul_rates(device)
    trainings = sum(len(steps.networks) for steps in plan.training)
    # The first of each stands for warming up.
    passes = len(parts) + (len(todo) + trainings) * (1 + plan.rounds)
    with progress(total=passes, unit="pass", desc="timing") as bar:
        modules = []  # first: it is quick, and fails at once where it can't be done
        for case in parts:
            model, image = setup.network(case.network), images.timed(*case.shape)[0]
            shares = time_by_part(model, case.form, image, device)
            rounded = {part: round(share, 2) for part, share in shares.items()}
            modules.append({**case.description, "shares": rounded})
            bar.update()
        rows, skipped = time_cases(todo, plan, setup.build, images.timed, device.type, bar.update)
        training, failed = time_steps(plan, recipes or {}, setup, bar.update)
        skipped += failed
    after = matmul_rates(device)
    rates = {name: rate and max(rate, after[name]) for name, rate in before.items()}
    measured = [*rows.values(), *training]
    if not any(row["median_ms"] for row in measured):
        reasons = [each["reason"] for each in (*skipped, *measured)]
        raise InputError(f"nothing could be timed: {reasons[0]}")
    for case, row in rows.items():
        row |= setup.cost(case)
        least, median = least_ms(row, rates), row["median_ms"]
        row["limit_ms"] = least and round(least, 3)
        row["share_of_limit"] = round(least / median, 4) if least and median else None
    return {
        "limits": rates,
        "classes": classes,
        "weights": "random" if weights is None else f"{name}: {weights.name}, others: random",
        "images": images.description,
        "scopes": SCOPE,
        "rows": [rows[case] for case in shown if case in rows],
        "scaling": [rows[case] for case in scaling if case in rows],
        "modules": modules,
        "training": training,
        "skipped": skipped,
    }


def time_cases(
    todo: Sequence[Case],
    plan: Plan,
    build: Callable[[Case], Predict],
    images: Callable[[int, int, int], np.ndarray],
    device: str,
    advance: Callable[[int], Any] = lambda passes: None,
) -> tuple[dict[Case, dict[str, Any]], list[dict[str, str]]]:
    """Time cases, those of one image size and batch in interleaved rounds.

    Args:
        todo: what is timed, each once.
        plan: how long.
        build: makes the predictor of a case, in a process of its own; is pickled.
        images: batch, height, width -> uint8 images (batch,height,width,3).
        device: "cpu" or "cuda".
        advance: is told how many passes are done with since the last call; of each case, one for
            warming up and `plan.rounds`, also where it failed or time was over before.

    Returns:
        For each case its row of the result: what was measured, or None and the reason where memory
        ran out. And what could not run here (a runtime that isn't installed, a precision that it
        doesn't know), with the reason.
    """
    rows: dict[Case, dict[str, Any]] = {}
    skipped: dict[tuple[str, ...], dict[str, str]] = {}
    by_shape = sorted(todo, key=lambda case: case.shape)
    for shape, group in groupby(by_shape, key=lambda case: case.shape):
        outcomes = _time_group(list(group), plan, build, images(*shape), device, advance)
        for case, outcome in outcomes.items():
            first = {**case.description, "scope": next(iter(SCOPE))}
            if not isinstance(outcome, CaseError):
                rows[case] = {**first, **outcome, "reason": None}
            elif outcome.memory:
                nothing = dict.fromkeys(UNMEASURED)
                rows[case] = {**first, **nothing, "rounds": 0, "reason": "out of memory"}
            else:
                what = {"network": case.network, "form": case.form, "precision": case.precision}
                skipped.setdefault(tuple(what.values()), {**what, "reason": str(outcome)})
    return rows, list(skipped.values())


def agreement(labels: np.ndarray, reference: np.ndarray) -> float:
    """Return the share of pixels that have the same label in both maps."""
    return float(np.mean(labels == reference))


def _time_group(
    group: Sequence[Case],
    plan: Plan,
    build: Callable[[Case], Predict],
    images: np.ndarray,
    device: str,
    advance: Callable[[int], Any],
) -> dict[Case, dict[str, Any] | CaseError]:
    """Time cases of one shape; all of their processes are alive until the last round is over."""
    workers: dict[Case, Worker] = {}
    failures: dict[Case, CaseError] = {}
    warm: dict[Case, dict[str, Any]] = {}
    with ExitStack() as stack:

        def started(case: Case) -> Worker:
            worker = Worker(partial(build, case), images, device, libraries(case.form))
            return stack.enter_context(closing(worker))

        # To set up a GPU takes a process seconds, in which neither the GPU nor many cores are busy.
        # The first passes, in which libraries try their kernels, come one by one.
        ahead = {case: started(case) for case in group} if device == "cuda" else {}
        for case in group:
            try:
                worker = ahead.get(case) or started(case)
                worker.begin()
                passes, settled = warm_up(worker.run, plan.warm_up)
                warm[case] = {"passes": passes, "settled": settled}
                workers[case] = worker
            except CaseError as failure:
                failures[case] = failure
            advance(1)
        runs = {case: _run(case, worker, failures) for case, worker in workers.items()}
        advance_one = partial(advance, 1)
        times = interleave(runs, plan.rounds, plan.least_rounds, plan.seconds, advance_one)
        advance(plan.rounds * len(group) - sum(map(len, times.values())))
        done = {}
        for case in workers:
            try:
                if case not in failures:
                    done[case] = _outcome(case, workers, times[case]) | {"warm_up": warm[case]}
            except CaseError as failure:
                failures[case] = failure
        return failures | done


def _run(case: Case, worker: Worker, failures: dict[Case, CaseError]) -> Callable[[], float]:
    """Return one pass that, should it fail, is not tried again and holds up none of the others."""

    def run() -> float:
        if case not in failures:
            try:
                return worker.run()
            except CaseError as failure:
                failures[case] = failure
        return float("nan")

    return run


def _outcome(case: Case, workers: Mapping[Case, Worker], times: Sequence[float]) -> dict[str, Any]:
    """Return what was measured of a case."""
    worker, reference = workers[case], workers.get(case.reference)
    figures = summarise(times)
    figures["fps"] *= case.batch
    figures["peak_memory_mb"] = worker.peak_memory()
    return {
        **worker.facts,
        "folded": case.form != "published",
        **{key: round(value, 3) for key, value in figures.items()},
        "agreement": reference and round(agreement(worker.labels, reference.labels), 6),
        "rounds": len(times),
    }
