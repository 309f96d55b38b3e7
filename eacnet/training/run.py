"""One training of the pipeline: from params.yaml and the prepared store to weights and curve."""

import csv
import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from eacnet.config.names import AUXILIARY
from eacnet.config.params import Params
from eacnet.data.samples import Augmentation, Samples, check_crop
from eacnet.data.store import Store as Data
from eacnet.data.store import open_store
from eacnet.errors import InputError
from eacnet.evaluation.evaluate import quick_miou
from eacnet.files import check_file, check_folder, replacing, write_json
from eacnet.layout import CHECKPOINTS, PREPARED, TRAINED, Run
from eacnet.machine import device_name
from eacnet.models import EACNet, save_model
from eacnet.pretrained.start import describe_start, initial_model
from eacnet.provenance import provenance
from eacnet.training.fingerprint import fingerprint, source_digest
from eacnet.training.fits import check_batch, check_sizes
from eacnet.training.loop import Epoch, make_fabric, train
from eacnet.training.losses import make_loss
from eacnet.training.processes import check_processes, started_processes
from eacnet.training.trained import CURVE, FACTS, Store

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Start:
    """A training before it begins: the network, and all that its result depends on.

    Attributes:
        network: with the weights that it starts from.
        mean: RGB that is subtracted, 0..255: a file's weights know no other than that file's.
        origin: what `initial_model` says of those weights.
        facts: what the result depends on, for people.
        sources: digest of the code.
        key: the fingerprint of all of it, by which the finished training is found.
    """

    network: EACNet
    mean: list[float]
    origin: dict[str, Any]
    facts: dict[str, Any]
    sources: str
    key: str


def start_of(run: Run, params: Params, data: Data) -> Start:
    """Return where a training starts from; the same in each process, wherever it is.

    Raises:
        InputError: the file that it starts from is missing or does not fit the network.
    """
    recipe = params.recipe
    torch.manual_seed(run.seed)
    origin = recipe.init, params.model.weights_for(run.backbone)
    classes, mean = data.info["classes"], data.info["mean"]
    network, start = initial_model(run.backbone, run.calibration, classes, mean, *origin)
    if recipe.auxiliary and run.backbone in AUXILIARY:
        network.add_auxiliary()
    facts = {
        "backbone": run.backbone,
        "calibration": run.calibration,
        "seed": run.seed,
        **start,
        "recipe": recipe.model_dump(),
        "trained_on": params.trained_on(run.calibration),
        "data": data.checksum,
    }
    sources = source_digest(run.backbone, run.calibration, origin[1])
    # The file that it starts from is known by its checksum, wherever it lies.
    anywhere = {"init": start["init"] and {**start["init"], "path": None}}
    anywhere["recipe"] = {**facts["recipe"], "init": None}
    version = torch.__version__.partition("+")[0]
    # The checksum is of pixels and train ids; the rest of dataset.json has its part, too.
    described = {name: data.info[name] for name in ("classes", "mean", "frequencies")}
    # What the curve is scored on changes no weights, but a curve of another split is another.
    watched = {"dataset": params.dataset, "validated_on": params.data.validate_split}
    same = {**facts, **anywhere, **described, **watched, "torch": version}
    mean = start["init"]["mean"] if start["init"] else mean
    return Start(network, mean, start, facts, sources, fingerprint(sources=sources, **same))


def finished_trainings(params: Params) -> Store:
    """Return the store that trainings are put in and taken from."""
    return Store(TRAINED, round(params.hardware.keep_gib * 2**30))


def train_run(run: Run, params: Params, folder: Path = Path()) -> None:
    """Train a network and write its weights, curve and facts, or take them over from the store.

    Args:
        run: which network.
        params: all settings.
        folder: where to write them; the project's own by default.

    Raises:
        InputError: the store lacks a split, the crop does not fit its frames, the start does not
            fit the network, the store holds other pixels than were prepared, the processes are not
            those of `hardware`, or the loss became infinite.
    """
    weights, results = folder / run.weights, folder / run.results
    check_file(weights)
    check_folder(results)
    data, recipe = open_store(PREPARED / params.dataset), params.recipe
    sizes = [data.split(split).sizes for split in params.data.train]
    check_crop(recipe.crop, recipe.scales, np.concatenate(sizes))
    start, store = start_of(run, params, data), finished_trainings(params)
    check_batch(start.network, recipe, params.hardware)
    for name in {params.data.validate_split, params.data.evaluate} - {None}:
        check_sizes(start.network, data.split(name), name)
    key, checkpoint = start.key, CHECKPOINTS / f"{start.key}.pt"
    # What was trained on other machines needs none of them any more.
    if started_processes()[0] == 1 and _taken(store, key, run, weights, results):
        return
    check_processes(params.hardware)
    fabric = make_fabric(params.hardware, recipe.precision)
    lead = not fabric.global_rank
    with store.only_one(key) if lead else nullcontext():
        if fabric.broadcast(lead and _taken(store, key, run, weights, results)):
            return
        fabric.print(f"{run.name} {describe_start(start.origin)}")
        _train(fabric, start.network, start.mean, run.seed, params, data, checkpoint, results)
        if not lead:
            return
        pretrained = params.model.weights_for(run.backbone)
        if source_digest(run.backbone, run.calibration, pretrained) != start.sources:
            raise InputError("code that this training depends on changed meanwhile; run it again")
        card = {"mean": start.mean, "std": [1.0] * 3, "dataset": params.dataset}
        save_model(start.network, weights, classes=data.info["classes"], **card)
        circumstances = {
            "device": device_name(fabric.device),
            "threads": torch.get_num_threads(),
            "processes": fabric.world_size,
        }
        write_json(results / FACTS, provenance(**start.facts, **circumstances))
        store.put(key, weights, results)
        checkpoint.unlink(missing_ok=True)


def _taken(store: Store, key: str, run: Run, weights: Path, results: Path) -> bool:
    """Take a training over, if it is finished and no other process drops it meanwhile."""
    if not store.has(key):
        return False
    try:
        store.take(key, weights, results)
    except FileNotFoundError:
        return False
    print(f"{run.name} was trained before: taken over from {store.root / key}")
    return True


def _train(
    fabric: "Fabric",
    network: nn.Module,
    mean: list[float],
    seed: int,
    params: Params,
    data: Data,
    checkpoint: Path,
    results: Path,
) -> None:
    """Train `network` in place; its curve grows on disk with every epoch."""
    recipe, watched = params.recipe, params.data.validate_split
    fill = tuple(round(channel) for channel in mean)
    how = Augmentation(recipe.crop, tuple(recipe.scales), fill, recipe.photometric)
    samples = Samples([data.split(split) for split in params.data.train], how, seed)
    trained = recipe.epochs_of(network.calibration_name) * len(samples) * math.prod(recipe.crop)
    steps = recipe.epochs_of(network.calibration_name) * (len(samples) // recipe.batch)
    if 0 < steps <= recipe.schedule.warmup_iterations:
        fabric.print(
            f"all {steps} iterations are warm-up: schedule.warmup_iterations is"
            f" {recipe.schedule.warmup_iterations}, so the learning rate never falls"
        )
    # A pixel is hashed in a thousandth of the time that it is trained in.
    if trained >= _pixels(data) and not fabric.global_rank:
        data.verify()

    def validate(network: nn.Module) -> float:
        split = data.split(watched)
        return quick_miou(network, split.images, split.labels, mean=mean, device=fabric.device)

    train(
        fabric,
        network,
        make_loss(recipe.loss, data.info["frequencies"]),
        samples,
        mean,
        recipe,
        params.hardware.workers,
        checkpoint,
        validate if watched else None,
        params.hardware.data,
        lambda history: _write_curve(results / CURVE, history),
    )


def _pixels(data: Data) -> int:
    return sum(int(data.split(name).sizes.prod(1).sum()) for name in data.info["splits"])


def _write_curve(path: Path, history: Sequence[Epoch]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Epoch.__dataclass_fields__)
        rows.writerows(vars(epoch).values() for epoch in history)
