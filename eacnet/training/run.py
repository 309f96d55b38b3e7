"""One training of the pipeline: from params.yaml and the prepared store to weights and curve."""

import csv
import math
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

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
from eacnet.models import save_model
from eacnet.pretrained.start import describe_start, initial_model
from eacnet.provenance import provenance
from eacnet.training.fingerprint import fingerprint, source_digest
from eacnet.training.loop import Epoch, make_fabric, train
from eacnet.training.losses import make_loss
from eacnet.training.trained import CURVE, FACTS, Store

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# What a training does not depend on: recorded, but the same training wherever it is done.
CIRCUMSTANCES = ("device", "threads", "processes")


def train_run(run: Run, params: Params) -> None:
    """Train a network and write its weights, curve and facts, or take them over from the store.

    Raises:
        InputError: the store lacks a split, the crop does not fit its frames, the start does not
            fit the network, the store holds other pixels than were prepared, or the loss became
            infinite.
    """
    check_file(run.weights)
    check_folder(run.results)
    data, recipe = open_store(PREPARED / params.dataset), params.recipe
    sizes = [data.split(split).sizes for split in params.data.train]
    check_crop(recipe.crop, recipe.scales, np.concatenate(sizes))
    fabric = make_fabric(params.hardware, recipe.precision)
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
        "device": device_name(fabric.device),
        "threads": torch.get_num_threads(),
        "processes": fabric.world_size,
    }
    sources = source_digest(run.backbone, run.calibration)
    same = {name: value for name, value in facts.items() if name not in CIRCUMSTANCES}
    same |= {"init": start["init"] and {**start["init"], "path": None}, "dataset": params.dataset}
    version = torch.__version__.partition("+")[0]
    key = fingerprint(sources=sources, torch=version, **same)
    store, lead = Store(TRAINED, round(params.hardware.keep_gib * 2**30)), not fabric.global_rank
    with store.only_one(key) if lead else nullcontext():
        if fabric.broadcast(store.has(key)):
            fabric.print(f"{run.name} was trained before: taken over from {TRAINED / key}")
            if lead:
                store.take(key, run.weights, run.results)
            return
        fabric.print(f"{run.name} {describe_start(start)}")
        what = fabric, network, start["init"]["mean"] if start["init"] else mean
        _train(*what, run, params, data, CHECKPOINTS / f"{key}.pt")
        if not lead:
            return
        if source_digest(run.backbone, run.calibration) != sources:
            raise InputError("code that this training depends on changed meanwhile; run it again")
        # A file's weights know no other mean than that file's.
        card = {"classes": classes, "mean": what[-1], "std": [1.0] * 3, "dataset": params.dataset}
        save_model(network, run.weights, **card)
        write_json(run.results / FACTS, provenance(**facts))
        store.put(key, run.weights, run.results)
        (CHECKPOINTS / f"{key}.pt").unlink(missing_ok=True)


def _train(
    fabric: "Fabric",
    network: nn.Module,
    mean: list[float],
    run: Run,
    params: Params,
    data: Data,
    checkpoint: Path,
) -> None:
    """Train `network` in place; its curve grows on disk with every epoch."""
    recipe, watched = params.recipe, params.data.validate_split
    fill = tuple(round(channel) for channel in mean)
    how = Augmentation(recipe.crop, tuple(recipe.scales), fill, recipe.photometric)
    samples = Samples([data.split(split) for split in params.data.train], how, run.seed)
    trained = recipe.epochs_of(network.calibration_name) * len(samples) * math.prod(recipe.crop)
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
        lambda history: _write_curve(run.results / CURVE, history),
    )


def _pixels(data: Data) -> int:
    return sum(int(data.split(name).sizes.prod(1).sum()) for name in data.info["splits"])


def _write_curve(path: Path, history: Sequence[Epoch]) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Epoch.__dataclass_fields__)
        rows.writerows(vars(epoch).values() for epoch in history)
