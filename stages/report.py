"""Write the page of the experiment: its texts, tables and figures in reports/<experiment>."""

from dataclasses import replace

from eacnet.config.params import load_params
from eacnet.errors import InputError, exit_on_error
from eacnet.files import replacing_folder, write_text
from eacnet.layout import PREPARED, PUBLISHED, SPEED, cells, main_run, reports
from eacnet.result_files import read_result


def main() -> None:
    """Read all results, the weights and the prepared store, write the page and its figures."""
    params = load_params()
    run, folder = main_run(params), reports(params.experiment)

    from eacnet.data.store import open_store
    from eacnet.evaluation.counts import Counts
    from eacnet.machine import pick_device
    from eacnet.models import load_model
    from eacnet.report.figures.all_figures import Pictures, make_figures, write_figures
    from eacnet.report.figures.attention_maps import make_views
    from eacnet.report.figures.examples import make_examples
    from eacnet.report.figures.training import History, read_history
    from eacnet.report.figures.zooms import make_zooms
    from eacnet.report.pages.checklist import checklist
    from eacnet.report.pages.html import html
    from eacnet.report.pages.page import Results, Run, page
    from eacnet.report.tables.all_tables import tables, write_tables
    from eacnet.report.tables.comparison import read_published
    from eacnet.report.tables.speed import preferred

    data, store = params.data, open_store(PREPARED / params.dataset)
    runs: dict[tuple[str, str], list[Run]] = {}
    histories: dict[tuple[str, str], list[History]] = {}
    for cell in cells(params):
        kind = cell.backbone, cell.calibration
        trained = read_result(cell.results / "training.json", "training")
        scored = read_result(cell.results / "evaluation.json", "evaluation")["provenance"]
        runs.setdefault(kind, []).append(Run(trained, scored))
        histories.setdefault(kind, []).append(read_history(cell.results / "training.csv"))
    results = Results(
        variant=params.variant,
        data={**store.info, "size": list(store.typical_size)},
        split=data.evaluate,
        validated_on=data.validate_split,
        training=read_result(run.results / "training.json", "training"),
        evaluation=read_result(run.results / "evaluation.json", "evaluation"),
        ablation=read_result(folder / "ablation.json", "ablation"),
        speed=preferred([read_result(path, "speed") for path in sorted(SPEED.glob("*.json"))]),
        published=read_published(PUBLISHED),
        runs=runs,
        attention=read_result(run.results / "attention.json", "attention"),
    )
    scored = results.evaluation["provenance"]
    if (scored["data"], scored["split"]) != (store.checksum, data.evaluate):
        raise InputError(
            f"{run.results} was scored on other data than split {data.evaluate!r} of {store.root};"
            " `dvc repro` scores it anew"
        )
    if (run.backbone, run.calibration) not in histories:
        histories[run.backbone, run.calibration] = [read_history(run.results / "training.csv")]
    counts = Counts.load(run.results / "counts.json")
    shown = load_model(run.weights), store.split(data.evaluate), counts
    number, device = params.report.examples, pick_device(params.hardware.accelerator)
    examples = make_examples(*shown, number, device)
    zooms = make_zooms(*shown, -(-number // 2), device)
    pictures = Pictures(examples, zooms, make_views(*shown, device))
    drawn = make_figures(results, pictures, histories, counts)
    with replacing_folder(folder / "figures", ("*.png", "*.svg")) as figures:
        write_figures(drawn, figures)
    results = replace(results, figures=tuple(drawn))
    made = tables(results)
    with replacing_folder(folder / "tables", ("*.csv", "*.md", "*.tex")) as written:
        write_tables(made, results, written)
    files = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    write_text(folder / "index.html", html(results, made, examples, files))
    write_text(folder / "checklist.md", checklist(results))
    write_text(folder / "README.md", page(results))


if __name__ == "__main__":
    exit_on_error(main)
