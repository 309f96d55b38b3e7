"""Score one run on the evaluation split: the main network, or one cell of the ablation."""

import argparse

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import checksum, write_json, write_text
from eacnet.layout import PREPARED, select


def main() -> None:
    """Read the run's weights and the prepared store, write scores and the counts behind them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="main")
    name = parser.parse_args().run
    params = load_params()
    run = select(params, name)

    import pandas as pd
    import torch

    from eacnet.data.store import open_store
    from eacnet.datasets import find
    from eacnet.evaluation.evaluate import evaluate
    from eacnet.evaluation.results import details, metrics, suspect_frames
    from eacnet.machine import device_name, keep_freed_memory, pick_device
    from eacnet.models import load_model
    from eacnet.provenance import provenance

    store = open_store(PREPARED / params.dataset)
    split = store.split(params.data.evaluate)
    classes = store.info["classes"]
    model = run.checked(load_model(run.weights))
    store.check_classes(model.card.classes, run.weights)
    keep_freed_memory()
    device = pick_device(params.hardware.accelerator)
    counts = evaluate(
        model,
        split.images,
        split.labels,
        num_classes=store.num_classes,
        mean=model.card.mean,
        device=device,
    )
    counts.save(run.results / "counts.json")
    suspect = suspect_frames(find(params.dataset).suspect, split.ids)
    scores = details(counts, classes, suspect)
    facts = provenance(
        split=params.data.evaluate,
        data=store.checksum,
        weights=checksum(run.weights),
        device=device_name(device),
        threads=torch.get_num_threads(),
    )
    write_json(run.results / "evaluation.json", {**scores, "provenance": facts})
    write_json(run.results / "metrics.json", metrics(counts, classes))
    table = pd.Series(scores["class_iou"], name="iou", dtype=float).rename_axis("class")
    write_text(run.results / "classes.csv", table.to_csv(lineterminator="\n"))


if __name__ == "__main__":
    exit_on_error(main)
