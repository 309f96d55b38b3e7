"""Train one run: the main network, or one cell of the ablation (`--run dab-pooled-1`)."""

import argparse
import csv

from eacnet.config.names import AUXILIARY
from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.files import replacing, write_json
from eacnet.layout import PREPARED, select


def main() -> None:
    """Read params.yaml and the prepared store, write the run's weights, curve and provenance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="main")
    name = parser.parse_args().run
    params = load_params()
    run = select(params, name)

    import torch

    from eacnet.data.samples import Augmentation, Samples, check_crop
    from eacnet.data.store import open_store
    from eacnet.evaluation.evaluate import quick_miou
    from eacnet.machine import device_name
    from eacnet.models import save_model
    from eacnet.pretrained.start import initial_model, told
    from eacnet.provenance import provenance
    from eacnet.training.fingerprint import fingerprint, source_digest
    from eacnet.training.loop import Epoch, make_fabric, train
    from eacnet.training.losses import make_loss

    store = open_store(PREPARED / params.dataset)
    info, recipe, data = store.info, params.recipe, params.data
    check_crop(recipe.crop, recipe.scales, tuple(info["size"]))
    fabric = make_fabric(params.hardware, recipe.precision)
    sources = source_digest()
    torch.manual_seed(run.seed)
    weights = recipe.init, params.model.weights_for(run.backbone)
    network, start = initial_model(
        run.backbone, run.calibration, info["classes"], info["mean"], *weights
    )
    if recipe.auxiliary and run.backbone in AUXILIARY:
        network.add_auxiliary()
    fabric.print(f"{name} {told(start)}")
    # A file's weights know no other mean than that file's.
    mean = start["init"]["mean"] if start["init"] else info["mean"]
    fill = tuple(round(channel) for channel in mean)
    how = Augmentation(recipe.crop, tuple(recipe.scales), fill, recipe.photometric)
    samples = Samples([store.split(split) for split in data.train], how, run.seed)
    facts = {
        "backbone": run.backbone,
        "calibration": run.calibration,
        "seed": run.seed,
        **start,
        "recipe": recipe.model_dump(),
        "trained_on": params.trained_on,
        "data": store.checksum,
        "device": device_name(fabric.device),
        "threads": torch.get_num_threads(),
        "processes": fabric.world_size,
    }
    key = fingerprint(sources=sources, torch=torch.__version__, **facts)
    checkpoint = run.scratch / f"{key}.pt"

    def validate(network: torch.nn.Module) -> float:
        split = store.split(data.validate_split)
        return quick_miou(network, split.images, split.labels, mean=mean, device=fabric.device)

    history = train(
        fabric,
        network,
        make_loss(recipe.loss, info["frequencies"]),
        samples,
        mean,
        recipe,
        params.hardware.workers,
        checkpoint,
        validate if data.validate_split else None,
        params.hardware.data,
    )
    if fabric.global_rank:
        return
    if source_digest() != sources:
        raise InputError("the code in eacnet/ changed during the training; run it again")
    with replacing(run.results / "training.csv") as temporary, temporary.open("w") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Epoch.__dataclass_fields__)
        rows.writerows(vars(epoch).values() for epoch in history)
    write_json(run.results / "training.json", provenance(**facts))
    save_model(
        network,
        run.weights,
        classes=info["classes"],
        mean=mean,
        std=[1.0, 1.0, 1.0],
        dataset=params.dataset,
    )


if __name__ == "__main__":
    exit_on_error(main)
