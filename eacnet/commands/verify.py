"""Rebuild the figures of a report on this machine and say which are reproduced.

Three kinds of checks: the scores of every run follow from its counts (counts.json), the ablation
follows from the counts of its cells, and, where weights and prepared data are at hand, the networks
are scored anew. Exit code 1 if a figure differs by more than the tolerance that the table names.
What could not be checked is said, with the command that would make it possible. Trainings are not
repeated, and neither are timings, which belong to the machine that they name.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eacnet.config.params import load_params
from eacnet.errors import InputError
from eacnet.files import read_json
from eacnet.verify.report import Report

if TYPE_CHECKING:
    import torch

    from eacnet.verify.compare import Comparison
    from eacnet.verify.outcome import Check

EXACT = "exact"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    what = "such as reports/camvid (default: that of params.yaml)"
    add("report", nargs="?", type=Path, metavar="REPORT", help=what)
    add("--counts-only", action="store_true", help="score no network anew: seconds, not minutes")
    devices = ("auto", "cpu", "cuda")
    add("--device", choices=devices, default="auto", help="where networks are scored")


def run(arguments: argparse.Namespace) -> None:
    """Make all checks and print their outcome.

    Raises:
        InputError: there is no such report, or a figure differs beyond its tolerance.
    """
    report = Report(arguments.report or Path("reports") / load_params().experiment)
    if not (report.results("main") / "evaluation.json").is_file():
        raise InputError(
            f"{report.folder} is no report: it holds no main/evaluation.json;"
            f" `dvc exp run {report.select}` makes it"
        )
    from eacnet.verify.outcome import ANEW, outcome

    checks = [
        _attempt("scores from counts", name, lambda name=name: _from_counts(report, name))
        for name in report.runs
    ]
    checks.append(_attempt("ablation from counts", "all cells", lambda: _ablation(report)))
    if not arguments.counts_only:
        from eacnet.machine import pick_device

        device = pick_device(arguments.device, "--device")
        checks += [
            _attempt(ANEW, name, lambda name=name: _anew(report, name, device))
            for name in report.runs
        ]
    print(outcome(str(report.folder), checks))
    differences = sum(len(check.outcome.differences) for check in checks if check.outcome)
    if differences:
        raise InputError(f"{differences} figures of {report.folder} are not reproduced, see above")


def _attempt(what: str, run: str, check: Callable[[], tuple[str, "Comparison"]]) -> "Check":
    """Make a check: its tolerance and outcome, or why it can't be made."""
    from eacnet.verify.outcome import Check

    try:
        return Check(what, run, *check())
    except InputError as error:
        return Check(what, run, obstacle=str(error))


def _from_counts(report: Report, run: str) -> tuple[str, "Comparison"]:
    from eacnet.evaluation.counts import Counts
    from eacnet.verify.compare import class_entries, compare_scores

    evaluation, folder = report.evaluation(run), report.results(run)
    files = {
        "evaluation.json": evaluation,
        "metrics.json": read_json(folder / "metrics.json"),
        "classes.csv": report.class_iou(run),
    }
    counts = Counts.load(folder / "counts.json")
    return EXACT, compare_scores(files, counts, class_entries(report.dataset, evaluation))


def _ablation(report: Report) -> tuple[str, "Comparison"]:
    from eacnet.evaluation.counts import Counts
    from eacnet.verify.compare import compare_summary

    files = {name: read_json(report.folder / name) for name in ("ablation.json", "metrics.json")}
    groups = files["ablation.json"]["groups"]
    counts = {
        (backbone, calibration, seed): Counts.load(
            report.results(f"{backbone}-{calibration}-{seed}") / "counts.json"
        )
        for backbone, calibration, seed in _cells(groups)
    }
    classes = list(report.evaluation()["class_iou"])
    return EXACT, compare_summary(files, counts, classes, _costs(groups, len(classes)))


def _cells(groups: list[dict[str, Any]]) -> Iterator[tuple[str, str, int]]:
    for group in groups:
        for seed in group["seeds"]:
            yield group["backbone"], group["calibration"], seed


def _costs(groups: list[dict[str, Any]], classes: int) -> dict[tuple[str, str], dict[str, Any]]:
    """Count parameters and MACs of every group anew, as far as it tells them."""
    from eacnet.models import build_model
    from eacnet.models.complexity import complexity

    costs: dict[tuple[str, str], dict[str, Any]] = {}
    for group in groups:
        key = group["backbone"], group["calibration"]
        costs[key] = {}
        if "macs" in group:
            size = {side: group["macs"][side] for side in ("height", "width")}
            cost = complexity(build_model(key[0], classes, key[1]), **size)
            macs = {**size, "total": cost.macs, "attention": cost.attention_macs}
            costs[key] = {"parameters": cost.parameters, "macs": macs}
    return costs


def _anew(report: Report, run: str, device: "torch.device") -> tuple[str, "Comparison"]:
    """Score a network anew on the data that it was scored on."""
    evaluation = report.evaluation(run)
    source = evaluation["provenance"]
    weights = report.weights(run)
    if not (report.prepared / "dataset.json").is_file():
        raise InputError(f"{report.prepared} is not here; {report.how_to_prepare()}")

    import torch

    from eacnet.data.store import open_store
    from eacnet.evaluation.evaluate import evaluate
    from eacnet.machine import device_name
    from eacnet.models import load_model
    from eacnet.provenance import versions
    from eacnet.verify import compare as verification

    store = open_store(report.prepared)
    if store.checksum != source["data"]:
        raise InputError(
            f"{report.prepared} holds other data than was scored; {report.how_to_prepare()}"
        )
    model, split = load_model(weights), store.split(source["split"])
    counts = evaluate(
        model,
        split.images,
        split.labels,
        num_classes=store.num_classes,
        mean=model.card.mean,
        device=device,
    )
    here = device_name(device), torch.get_num_threads(), versions()["torch"]
    exact = here == (source["device"], source["threads"], source["versions"]["torch"])
    points, of_a_class = verification.TOLERANCE, verification.CLASS_TOLERANCE
    classes = verification.class_entries(report.dataset, evaluation)
    return (
        EXACT if exact else f"{points} points, {of_a_class} of a class",
        verification.compare_rerun(evaluation, counts, classes, exact),
    )
