"""Rebuild the figures of a report on this machine and say which are reproduced.

Four kinds of checks: the scores of every run follow from its counts (counts.json), the ablation
follows from the counts of its cells, every file that belongs to the report is there, each (the
measured speeds and the environment, too) is the one that DVC recorded and the overview of all
reports says what the report does, and, where weights and prepared data are at hand, these are those
that were recorded and the networks are scored anew. Trainings are not repeated, and neither are
timings, which belong to the machine that they name. Exit code 0: all is reproduced. 1: a figure
differs by more than the tolerance that the table names, or a file or a cell of the report or of the
prepared data is missing, damaged or changed. 3: what was checked is reproduced, but a file of the
report is not recorded in dvc.lock or not listed in the overview, or weights or data for the rest
are not at hand (--counts-only asks for neither of these).
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eacnet.config.params import load_params
from eacnet.errors import InputError, NotCheckedError

if TYPE_CHECKING:
    from eacnet.verify.outcome import Check
    from eacnet.verify.report import Report


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
        InputError: there is no such report, it is damaged, or a figure is not reproduced.
        NotCheckedError: something else is needed for some of the checks.
    """
    from eacnet.verify.report import Report

    report = Report(arguments.report or Path("reports") / load_params().experiment)
    if not report.results("main").is_dir() and not (report.folder / "ablation.json").is_file():
        raise InputError(
            f"{report.folder} is no report: it holds no main/evaluation.json;"
            f" `{report.remake}` makes it"
        )
    from eacnet.machine import keep_freed_memory, pick_device
    from eacnet.verify.checks import anew_checks, stored_checks
    from eacnet.verify.outcome import outcome

    checks = stored_checks(report) + _overview(report)
    if not arguments.counts_only:
        keep_freed_memory()
        checks += anew_checks(report, pick_device(arguments.device, "--device"))
    print(outcome(str(report.folder), checks))
    if not report.in_pipeline:
        print(
            f"no dvc.yaml or dvc.lock is in {report.project}, so nothing tells whether the other"
            " files of the report were edited"
        )
    differences = sum(len(check.outcome.differences) for check in checks if check.outcome)
    damaged = sum(check.damaged for check in checks)
    undone = sum(check.outcome is None and not check.damaged for check in checks)
    if damaged:
        raise InputError(
            f"{damaged} of {len(checks)} checks of {report.folder} fail on what is missing or"
            " damaged, see above"
        )
    if differences:
        raise InputError(f"{differences} figures of {report.folder} are not reproduced, see above")
    if undone:
        fewer = "; --counts-only asks only for those that need neither weights nor data"
        raise NotCheckedError(
            f"{undone} of {len(checks)} checks could not be made here, see above"
            + ("" if arguments.counts_only else fewer)
        )


def _overview(report: "Report") -> "list[Check]":
    """Compare what the overview of all reports says of this one, which no stage records."""
    from eacnet.layout import REPORTS
    from eacnet.report.pages.index import index
    from eacnet.report.tables.text import markdown
    from eacnet.verify.compare import Comparison
    from eacnet.verify.outcome import Check

    path = report.project / REPORTS / "README.md"
    if not (report.in_pipeline and path.is_file()):
        return []
    name = markdown(report.experiment)

    def told(text: str) -> dict[str, str]:
        rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
        own = [" | ".join(row[1:-1]) for row in rows if row[1:2] == [name]]
        links = [line for line in text.splitlines() if line.startswith(f"**{name}**")]
        return {f"line {number}": line for number, line in enumerate(own + links, 1)}

    what, result = ("overview of all reports", "all runs"), Comparison()
    try:
        there, now = told(path.read_text(encoding="utf-8")), told(index(path.parent))
    except (InputError, OSError, ValueError, LookupError) as error:
        return [Check(*what, obstacle=f"{path} can't be compared ({error})", damaged=True)]
    if not there:
        return [Check(*what, obstacle=f"{path} lacks it; `python -m stages.index` lists it")]
    result.add(str(path), there, now)
    return [Check(*what, "exact", result)]
