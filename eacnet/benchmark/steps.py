"""What a step of training takes: that of `eacnet.training.loop`, on images that are at hand."""

import logging
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from eacnet.benchmark.build import MEAN, Setup
from eacnet.benchmark.cases import Case
from eacnet.benchmark.latency import interleave, summarise, warm_up
from eacnet.benchmark.workers import CaseError, Worker
from eacnet.config.benchmark import Plan
from eacnet.config.hardware import Hardware
from eacnet.config.names import AUXILIARY
from eacnet.config.recipe import Recipe
from eacnet.training.loop import Objective, make_fabric, make_optimiser
from eacnet.training.losses import make_loss

UNMEASURED = ("median_ms", "p5_ms", "p95_ms", "fps", "peak_memory_mb", "warm_up")


@dataclass(frozen=True)
class BuildStep:
    """Makes the step of one network by one recipe, in a process of its own; is pickled."""

    setup: Setup
    network: str
    recipe: Recipe

    def __call__(self) -> "Step":
        """Build network, loss and optimiser as a training does."""
        logging.disable(logging.WARNING)  # a progress bar stands where they would be written
        network, recipe = self.setup.network(self.network).train(), self.recipe
        if recipe.auxiliary and network.backbone_name in AUXILIARY:
            network.add_auxiliary()
        for part in held(network, recipe):
            part.requires_grad_(False)
        network.to(memory_format=torch.channels_last)
        classes = self.setup.classes
        loss = make_loss(recipe.loss, [1 / classes] * classes)
        optimiser = make_optimiser(network, recipe.optimiser, recipe.calibration_lr)
        objective = Objective(network, loss, MEAN)
        if recipe.compile:
            objective.compile(mode="reduce-overhead" if self.setup.device == "cuda" else None)
        hardware = Hardware(accelerator=self.setup.device, devices=1, workers=0)
        fabric = make_fabric(hardware, recipe.precision)
        objective, optimiser = fabric.setup(objective, optimiser)
        objective.train()
        for part in held(network, recipe):
            part.eval()
        return Step(fabric, objective, optimiser, classes)


class Step:
    """One step of a training, where a worker asks for a predictor's pass."""

    runtime, choice, precision, attention_kernel = "training", None, "", ""

    def __init__(self, fabric: Any, objective: Any, optimiser: Any, classes: int) -> None:
        self._fabric, self._objective, self._optimiser = fabric, objective, optimiser
        self._classes = classes

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Take one step on images (B,h,w,3) uint8; return their labels (B,h,w) uint8."""
        labels = images[..., 1] % self._classes
        pixels, truth = map(torch.from_numpy, (images, labels))
        batch = [each.to(self._fabric.device) for each in (pixels, truth)]
        loss = self._objective(*batch)
        self._optimiser.zero_grad()
        self._fabric.backward(loss)
        self._optimiser.step()
        return labels


def held(network: torch.nn.Module, recipe: Recipe) -> list[torch.nn.Module]:
    """Return the parts that a recipe leaves as they are."""
    return [network.backbone, network.classifier] if recipe.trains == "calibration" else []


def time_steps(
    plan: Plan,
    recipes: Mapping[str, Recipe],
    setup: Setup,
    advance: Callable[[int], Any],
    build: Callable[[Setup, str, Recipe], Callable[[], Any]] = BuildStep,
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Time the steps that a plan names, one network behind another: each fills the memory.

    Args:
        plan: what and how long.
        recipes: by the names that the plan gives.
        setup: classes, seed, device and images.
        advance: is told how many passes are done with since the last call; of each network, one for
            warming up and `plan.rounds`.
        build: makes what makes a step.

    Returns:
        A row each, with None and the reason where memory ran out; and what could not run here.
    """
    rows, skipped = [], []
    for steps in plan.training:
        recipe = recipes[steps.recipe]
        for network in steps.networks:
            case = Case(network, "training", recipe.precision, *recipe.crop, recipe.batch)
            row = {**case.description, "recipe": recipe.model_dump(mode="json"), "reason": None}
            try:
                row |= _measured(build(setup, network, recipe), case, plan, setup, advance)
            except CaseError as failure:
                advance(1 + plan.rounds)
                if not failure.memory:
                    what = {name: row[name] for name in ("network", "form", "precision")}
                    skipped.append({**what, "reason": str(failure)})
                    continue
                row |= dict.fromkeys(UNMEASURED) | {"rounds": 0, "reason": "out of memory"}
            rows.append(row)
    return rows, skipped


def _measured(
    build: Callable[[], Any], case: Case, plan: Plan, setup: Setup, advance: Callable[[int], Any]
) -> dict[str, Any]:
    with closing(Worker(build, setup.images.timed(*case.shape), setup.device)) as worker:
        worker.begin()
        passes, settled = warm_up(worker.run, plan.warm_up)
        run = {case: worker.run}
        times = interleave(run, plan.rounds, plan.least_rounds, plan.seconds)[case]
        memory = worker.peak_memory()
    advance(1 + plan.rounds)
    figures = {name: round(value, 3) for name, value in summarise(times).items()}
    figures["fps"] = round(1000 * case.batch / figures["median_ms"], 3)
    how = {"rounds": len(times), "warm_up": {"passes": passes, "settled": settled}}
    return {**figures, "peak_memory_mb": round(memory, 3), **how}
