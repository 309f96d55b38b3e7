"""`runtime="auto"`: try what is installed, keep the fastest that gives the same labels."""

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from eacnet.config.names import AGREEMENT
from eacnet.errors import OUT_OF_MEMORY, InputError, first_line
from eacnet.inference.folded import card_of
from eacnet.inference.rewrite import copied
from eacnet.inference.runtimes import lacking, precisions, runtimes
from eacnet.models import EACNet
from eacnet.models.label_map import label_map
from eacnet.progress import progress

ROUNDS = 5
TRIED = 4
SAMPLE_SIZE = (512, 1024)
log = logging.getLogger(__name__)

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Trial:
    """How one candidate did: share of labels as `plain_labels`, median time, or why it failed."""

    runtime: str
    precision: str
    agreement: float | None = None
    median_ms: float | None = None
    problem: str = ""


def candidates(
    runtime: str, precision: str, device: torch.device, quantise: bool
) -> list[tuple[str, str]]:
    """Return the (runtime, precision) pairs that are at hand for a choice.

    Args:
        runtime: "auto" or the one that is wanted.
        precision: "auto" or the one that is wanted.
        device: where they run.
        quantise: whether there are samples to quantise with.
    """
    names = [name for name in runtimes() if not lacking(name)] if runtime == "auto" else [runtime]
    return [
        (name, each)
        for name in names
        for each in precisions(name, device)
        if precision in ("auto", each)
        and (each != "int8" or (quantise and not lacking(name, "int8")))
    ]


def split(samples: Sequence[np.ndarray]) -> tuple[Sequence[np.ndarray], Sequence[np.ndarray]]:
    """Split samples into at most TRIED to try on and those from which int8 takes its ranges.

    No image has a say in both, or int8 would be judged on what it was fitted to; but a single one.
    """
    tried = range(0, len(samples), max(-(-len(samples) // TRIED), 2))
    rest = [image for index, image in enumerate(samples) if index not in tried]
    return [samples[index] for index in tried], rest or samples


@torch.inference_mode()
def plain_labels(
    model: EACNet, images: Sequence[np.ndarray], device: torch.device
) -> list[np.ndarray]:
    """Predict with the network as it is defined: nothing folded, no kernel of this project.

    Args:
        model: with its card.
        images: uint8 (H,W,3).
        device: where it runs.

    Returns:
        Class ids, uint8 (H,W).

    Raises:
        InputError: an image is too small for the network.
    """
    card, plain = card_of(model), copied(model).to(device)
    mean, std = (torch.tensor(values, device=device) for values in (card.mean, card.std))
    labels = []
    for image in images:
        pixels = torch.tensor(image, device=device, dtype=torch.float32)
        _, scores = plain.scores(((pixels - mean) / std).permute(2, 0, 1).unsqueeze(0))
        labels.append(label_map(scores, image.shape[:2], model.stride)[0].cpu().numpy())
    return labels


def choose(
    pairs: Sequence[tuple[str, str]],
    opened: Callable[[str, str], Predict],
    samples: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
) -> tuple[Predict, dict[str, Any]]:
    """Return the fastest candidate whose labels are those of the plain network; and what was tried.

    All candidates are timed in turn, so that other work on the machine hits all alike.

    Args:
        pairs: what to try: runtime and precision.
        opened: makes a function from image to label map of a pair.
        samples: images uint8 (H,W,3) to try on.
        truth: their labels, from `plain_labels`.

    Returns:
        The function, and {"runtime", "precision", "agreement", "median_ms", "trials"}.

    Raises:
        InputError: none of them agrees.
    """
    running: dict[tuple[str, str], tuple[Predict, float]] = {}
    trials = []
    for pair in progress(pairs, desc="auto: trying runtimes", unit="runtime", leave=False):
        try:
            predict = opened(*pair)
            labels = [predict(image) for image in samples]
        except Exception as error:  # each runtime has its own kinds
            # One that does not work here is no reason to do without the others.
            reason = first_line(error)
            if isinstance(error, InputError) and not OUT_OF_MEMORY.search(reason):
                raise
            trials.append(Trial(*pair, problem=reason))
            continue
        same = sum(int((a == b).sum()) for a, b in zip(labels, truth, strict=True))
        agreement = same / sum(each.size for each in truth)
        if agreement < AGREEMENT:
            trials.append(Trial(*pair, agreement, problem="disagrees with the plain network"))
        else:
            running[pair] = predict, agreement
    if not running:
        tried = (
            "; ".join(f"{t.runtime} {t.precision}: {t.problem}" for t in trials) or "none at hand"
        )
        raise InputError(
            f"no runtime gives the labels of the plain network ({tried}); choose eager, fp32"
        )
    times: dict[tuple[str, str], list[float]] = {pair: [] for pair in running}
    for _ in range(ROUNDS if len(running) > 1 else 1):
        for pair, (predict, _) in running.items():
            start = time.perf_counter()
            predict(samples[0])
            times[pair].append(1000 * (time.perf_counter() - start))
    medians = {pair: statistics.median(durations) for pair, durations in times.items()}
    trials += [Trial(*pair, running[pair][1], medians[pair]) for pair in running]
    best = min(medians, key=medians.__getitem__)
    predict, agreement = running[best]
    choice = {"runtime": best[0], "precision": best[1], "agreement": agreement}
    choice |= {"median_ms": medians[best], "trials": [asdict(trial) for trial in trials]}
    log.info("auto picked %s", describe_choice(choice))
    return predict, choice


def describe_choice(choice: dict[str, Any]) -> str:
    """Tell in one line what was picked, and how all that was tried did, the fastest first."""
    by_time = sorted(choice["trials"], key=lambda trial: trial["median_ms"] or float("inf"))
    return f"{choice['runtime']} {choice['precision']} of " + "; ".join(
        map(_describe_trial, by_time)
    )


def _describe_trial(trial: dict[str, Any]) -> str:
    facts = [
        "" if trial["median_ms"] is None else f"{trial['median_ms']:.0f} ms",
        "" if trial["agreement"] is None else f"{100 * trial['agreement']:.3f} % same labels",
        trial["problem"],
    ]
    return f"{trial['runtime']} {trial['precision']}: {', '.join(filter(None, facts))}"
