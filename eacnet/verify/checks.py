"""The checks of a report: from its counts, from the cells of its ablation, by scoring anew."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from eacnet.errors import InputError, NotCheckedError
from eacnet.evaluation.bootstrap import BOOTSTRAP
from eacnet.evaluation.counts import Counts
from eacnet.verify.compare import (
    CLASS_TOLERANCE,
    TOLERANCE,
    Comparison,
    class_entries,
    compare_rerun,
    compare_scores,
    compare_summary,
)
from eacnet.verify.outcome import ANEW, RECORDED, SHOWN, Check
from eacnet.verify.recorded import recorded_md5
from eacnet.verify.report import Report
from eacnet.verify.whole import lacking

if TYPE_CHECKING:
    import torch

EXACT = "exact"


def stored_checks(report: Report) -> list[Check]:
    """Make the checks that need the report alone."""
    checks = [
        _attempt("scores from counts", run, lambda run=run: _from_counts(report, run))
        for run in report.runs
    ]
    checks.append(_attempt("ablation from counts", "all cells", lambda: _ablation(report)))
    if missed := lacking(report):
        why = f"missing: {_some(missed)}; `{report.remake}` makes what a report has"
        checks.append(Check("files of the report", "all runs", obstacle=why, damaged=True))
    if report.in_pipeline:
        checks.append(_attempt(RECORDED, "all runs", lambda: _files(report)))
        if checks[-1].outcome and report.unrecorded_files:
            checks.append(_attempt(RECORDED, "the others", lambda: _unrecorded(report)))
    return checks


def anew_checks(report: Report, device: "torch.device") -> list[Check]:
    """Score all networks anew whose weights and data are at hand; none on data that changed."""
    checks = []
    if (report.prepared / "dataset.json").is_file():
        checks.append(_attempt("prepared pixels", "all runs", lambda: _pixels(report)))
        if checks[0].damaged:
            return checks
    runs = report.runs
    return checks + [
        _attempt(ANEW, run, lambda run=run: _anew(report, run, device)) for run in runs
    ]


def _attempt(what: str, run: str, check: Callable[[], tuple[str, Comparison]]) -> Check:
    """Make a check: its tolerance and outcome, or why it can't be made."""
    try:
        return Check(what, run, *check())
    except InputError as error:
        damaged = not isinstance(error, NotCheckedError)
        return Check(what, run, obstacle=str(error), damaged=damaged)
    except (LookupError, TypeError, ValueError) as error:  # files that do not fit each other
        return Check(what, run, obstacle=f"its files contradict each other ({error})", damaged=True)


def _from_counts(report: Report, run: str) -> tuple[str, Comparison]:
    evaluation = report.evaluation(run)
    network = _network(report, run)
    if (network[1] == "none") != (evaluation["coarse"] is None):
        kind = "no" if evaluation["coarse"] is None else "a"
        raise InputError(
            f"evaluation.json is of a network with {kind} calibration, training.json of"
            f" {' with calibration '.join(network)}"
        )
    files = {
        "evaluation.json": evaluation,
        "metrics.json": report.read(run, "metrics"),
        "classes.csv": report.class_iou(run),
    }
    counts = Counts.load(report.results(run) / "counts.json")
    return EXACT, compare_scores(files, counts, class_entries(report.dataset, evaluation))


def _network(report: Report, run: str) -> tuple[str, str]:
    """Return which network training.json says was trained: backbone and calibration."""
    said = report.read(run, "training")
    if run not in ("main", "-".join(str(said[key]) for key in ("backbone", "calibration", "seed"))):
        raise InputError(
            f"training.json is of {said['backbone']} with calibration {said['calibration']} and"
            f" seed {said['seed']}"
        )
    return said["backbone"], said["calibration"]


def _ablation(report: Report) -> tuple[str, Comparison]:
    ablation = report.ablation
    cells = report.cells_of(ablation)
    if lacking := [name for name in report.named_cells if name not in cells]:
        raise InputError(
            f"{report.folder / 'ablation.json'} lacks {', '.join(lacking)}, which"
            f" the experiment's parameters name; `{report.remake}` makes it"
        )
    counts = {key: Counts.load(report.results(name) / "counts.json") for name, key in cells.items()}
    classes = list(report.evaluation(next(iter(cells)))["class_iou"])
    files = {"ablation.json": ablation, "metrics.json": report.summary}
    costs = _costs(ablation["groups"], len(classes))
    how = {"split": _split(report, cells), "bootstrap": BOOTSTRAP}
    return EXACT, compare_summary(files, counts, classes, costs, how)


def _split(report: Report, cells: Iterable[str]) -> str:
    """Return the split that all cells were scored on."""
    splits = {report.evaluation(name)["provenance"]["split"] for name in cells}
    if len(splits) > 1:
        raise InputError(
            f"the cells were scored on {' and '.join(sorted(splits))}; score them anew"
        )
    return splits.pop()


def _costs(groups: list[dict[str, Any]], classes: int) -> dict[tuple[str, str], dict[str, Any]]:
    """Count parameters and MACs of every group anew."""
    from eacnet.models import build_model
    from eacnet.models.complexity import complexity

    costs: dict[tuple[str, str], dict[str, Any]] = {}
    for group in groups:
        key = group["backbone"], group["calibration"]
        size = {side: group["macs"][side] for side in ("height", "width")}
        try:
            cost = complexity(build_model(key[0], classes, key[1]), **size)
        except RuntimeError as error:
            raise InputError(f"ablation.json: no {key[0]} runs at {size} ({error})") from None
        macs = {**size, "total": cost.macs, "attention": cost.attention_macs}
        costs[key] = {"parameters": cost.parameters, "macs": macs}
    return costs


def _files(report: Report) -> tuple[str, Comparison]:
    if not report.lock.is_file():
        raise NotCheckedError(
            f"{report.lock} is missing; `git restore {report.lock}` brings it back, or"
            f" `{report.remake}` makes it"
        )
    recorded = report.recorded_files
    if not recorded:
        raise NotCheckedError(f"dvc.lock records nothing of {report.experiment}")
    result = Comparison()
    found = {name: recorded_md5(report.project / name) or "nothing" for name in recorded}
    result.add("dvc.lock", recorded, found, words=("recorded", "here"))
    return EXACT, result


def _unrecorded(report: Report) -> tuple[str, Comparison]:
    """Name the files of the report that nothing tells an edited one of."""
    raise NotCheckedError(
        f"not recorded in dvc.lock: {_some(report.unrecorded_files)}; `{report.remake}`"
        " records what the pipeline makes, and what else lies there belongs elsewhere"
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _pixels(report: Report) -> tuple[str, Comparison]:
    """Hash the whole prepared store, and what is told of it."""
    from eacnet.data.store import open_store

    store, result = open_store(report.prepared), Comparison()
    store.verify()
    sums = {name: entry["sha256"] for name, entry in store.info["splits"].items()}
    result.add("dataset.json", sums, sums)
    if recorded := report.recorded_store:
        name = str(report.prepared)
        found = {name: recorded_md5(report.prepared) or "nothing"}
        result.add("dvc.lock", {name: recorded}, found, words=("recorded", "here"))
    return EXACT, result


def _anew(report: Report, run: str, device: "torch.device") -> tuple[str, Comparison]:
    """Score a network anew on the data that it was scored on."""
    evaluation = report.evaluation(run)
    source = evaluation["provenance"]
    weights = report.weights(run)
    if not (report.prepared / "dataset.json").is_file():
        raise NotCheckedError(f"{report.prepared} is not here; {report.how_to_prepare()}")

    import torch

    from eacnet.data.store import open_store
    from eacnet.evaluation.evaluate import evaluate
    from eacnet.machine import device_name
    from eacnet.models import load_model
    from eacnet.provenance import versions

    store = open_store(report.prepared)
    if store.checksum != source["data"]:
        raise NotCheckedError(
            f"{report.prepared} holds other data than was scored; {report.how_to_prepare()}"
        )
    model, split = load_model(weights), store.split(source["split"])
    if (model.backbone_name, model.calibration_name) != _network(report, run):
        raise InputError(f"{weights} holds another network than training.json says")
    counts = evaluate(
        model,
        split.images,
        split.labels,
        num_classes=store.num_classes,
        mean=model.card.mean,
        device=device,
    )
    here = device_name(device), torch.get_num_threads(), versions()["torch"]
    exact = here == (source["device"], source["threads"], source["versions"].get("torch"))
    classes = class_entries(report.dataset, evaluation)
    return (
        EXACT if exact else f"{TOLERANCE} points, {CLASS_TOLERANCE} of a class",
        compare_rerun(evaluation, counts, classes, exact),
    )
