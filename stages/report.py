"""Write the page of the experiment: its texts, tables and figures in reports/<experiment>."""

from dataclasses import replace

from eacnet.errors import InputError, exit_on_error
from eacnet.files import read_json, replacing, write_text
from eacnet.params import load_params
from stages.layout import PREPARED, PUBLISHED, SPEED, cells, main_run, reports


def main() -> None:
    """Read all results, the weights and the prepared store, write the page and its figures."""
    params = load_params()
    run, folder = main_run(params), reports(params.experiment)

    from eacnet.data.store import open_store
    from eacnet.evaluation.counts import Counts
    from eacnet.models import load_model
    from eacnet.reporting.checklist import checklist
    from eacnet.reporting.comparison import read_published
    from eacnet.reporting.examples import make_examples
    from eacnet.reporting.figure_attention import make_views
    from eacnet.reporting.figure_training import History, read_history
    from eacnet.reporting.figures import Pictures, make_figures, write_figures
    from eacnet.reporting.html import html
    from eacnet.reporting.page import Results, Run, page
    from eacnet.reporting.paper import tables, write_tables
    from eacnet.reporting.speed import preferred
    from eacnet.reporting.zooms import make_zooms
    from eacnet.runtime.environment import pick_device

    data, store = params.data, open_store(PREPARED / params.dataset)
    runs: dict[tuple[str, str], list[Run]] = {}
    histories: dict[tuple[str, str], list[History]] = {}
    for cell in cells(params):
        kind = cell.backbone, cell.calibration
        trained = read_json(cell.results / "training.json")
        scored = read_json(cell.results / "evaluation.json")["provenance"]
        runs.setdefault(kind, []).append(Run(trained, scored))
        histories.setdefault(kind, []).append(read_history(cell.results / "training.csv"))
    results = Results(
        variant=params.variant,
        data=store.info,
        split=data.evaluate,
        validated_on=data.validate_split,
        training=read_json(run.results / "training.json"),
        evaluation=read_json(run.results / "evaluation.json"),
        ablation=read_json(folder / "ablation.json"),
        speed=preferred([read_json(path) for path in sorted(SPEED.glob("*.json"))]),
        published=read_published(PUBLISHED),
        runs=runs,
        attention=read_json(run.results / "attention.json"),
    )
    scored = results.evaluation["provenance"]
    if (scored["data"], scored["split"]) != (store.checksum, data.evaluate):
        raise InputError(
            f"{run.results} was scored on other data than split {data.evaluate!r} of {store.root};"
            " `dvc repro` scores it anew"
        )
    if (run.backbone, run.calibration) not in histories:
        histories[run.backbone, run.calibration] = [read_history(run.results / "training.csv")]
    counts = Counts.load(run.results / "counts.npz")
    shown = load_model(run.weights), store.split(data.evaluate), counts
    number, device = params.report.examples, pick_device(params.hardware.accelerator)
    examples = make_examples(*shown, number, device)
    zooms = make_zooms(*shown, -(-number // 2), device)
    pictures = Pictures(examples, zooms, make_views(*shown, device))
    drawn = make_figures(results, pictures, histories, counts)
    with replacing(folder / "figures") as figures:
        write_figures(drawn, figures)
    results = replace(results, figures=tuple(drawn))
    made = tables(results)
    with replacing(folder / "tables") as written:
        write_tables(made, results, written)
    files = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    write_text(folder / "index.html", html(results, made, examples, files))
    write_text(folder / "checklist.md", checklist(results))
    write_text(folder / "README.md", page(results))


if __name__ == "__main__":
    exit_on_error(main)
