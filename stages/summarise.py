"""Put the cells of the ablation together: mean and spread over seeds, gain from calibration."""

from eacnet.config.params import load_params
from eacnet.errors import exit_on_error
from eacnet.files import write_json
from eacnet.layout import PREPARED, cells, reports


def main() -> None:
    """Read the counts of exactly the cells that params.yaml names, write their summary."""
    params = load_params()
    runs = cells(params)
    from eacnet.data.store import open_store
    from eacnet.evaluation.ablation import headline, summarise
    from eacnet.evaluation.bootstrap import BOOTSTRAP
    from eacnet.evaluation.counts import Counts
    from eacnet.evaluation.stale import check_cell
    from eacnet.models import build_model
    from eacnet.models.complexity import complexity

    store = open_store(PREPARED / params.dataset)
    for run in runs:
        check_cell(run, params, store.checksum)
    counts = {
        (run.backbone, run.calibration, run.seed): Counts.load(run.results / "counts.json")
        for run in runs
    }
    height, width = store.typical_size
    groups = []
    for group in summarise(counts, [entry["name"] for entry in store.info["classes"]]):
        network = build_model(group["backbone"], store.num_classes, group["calibration"])
        cost = complexity(network, height, width)
        macs = {"total": cost.macs, "attention": cost.attention_macs}
        macs = {"height": height, "width": width, **macs}
        groups.append({**group, "parameters": cost.parameters, "macs": macs})
    folder = reports(params.experiment)
    summary = {
        "split": params.data.evaluate,
        "frames": len(next(iter(counts.values()))),
        "bootstrap": BOOTSTRAP,
        "groups": groups,
    }
    write_json(folder / "ablation.json", summary)
    write_json(folder / "metrics.json", {"ablation": headline(groups)})


if __name__ == "__main__":
    exit_on_error(main, takes_arguments=False)
