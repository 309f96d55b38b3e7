"""The outcome of a verification, for people to read on a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from eacnet.errors import one_line
from eacnet.layout import SPEED
from eacnet.verify.compare import Comparison

# Of the differences of a check, as many are shown; the table counts them all.
SHOWN = 20
ANEW = "network scored anew"
RECORDED = "files that DVC recorded"
_HEADINGS = ("check", "run", "figures", "reproduced", "largest deviation", "tolerance")
_ALIGNED = ("left", "left", "right", "right", "right", "left")


@dataclass(frozen=True)
class Check:
    """One check of one run: what came out, or why it could not be made.

    `damaged` says that the report itself is the reason, and not what this machine lacks.
    """

    what: str
    run: str
    tolerance: str = ""
    outcome: Comparison | None = None
    obstacle: str = ""
    damaged: bool = False


def outcome(title: str, checks: Sequence[Check]) -> str:
    """Write all checks as a table, then what differs, then what could not be checked and why."""
    rows = map(_row, checks)
    parts = [tabulate(rows, _HEADINGS, "simple", disable_numparse=True, colalign=_ALIGNED)]
    parts += [_differences(check) for check in checks if check.outcome and not _agrees(check)]
    damaged = [check for check in checks if check.damaged]
    undone = [check for check in checks if check.outcome is None and not check.damaged]
    if damaged:
        parts.append(_obstacles("Damaged or incomplete:", damaged))
    if undone:
        parts.append(_obstacles("Not checked:", undone))
    done = [check.outcome for check in checks if check.outcome]
    figures = sum(one.figures for one in done)
    missed = sum(len(one.differences) for one in done)
    parts.append(f"{one_line(title)}: {figures - missed} of {figures} figures reproduced")
    if damaged:
        parts[-1] += f"; {len(damaged)} of {len(checks)} checks fail on what is missing or damaged"
    if undone:
        parts[-1] += f"; {len(undone)} of {len(checks)} checks could not be made here"
    return "\n\n".join(parts)


def _agrees(check: Check) -> bool:
    return check.outcome is not None and not check.outcome.differences


def _row(check: Check) -> tuple[str, ...]:
    if check.outcome is None:
        return check.what, check.run, "-", "-", "-", "damaged" if check.damaged else "not checked"
    figures, missed = check.outcome.figures, len(check.outcome.differences)
    largest = f"{check.outcome.largest:.4g}"
    return check.what, check.run, str(figures), str(figures - missed), largest, check.tolerance


def _differences(check: Check) -> str:
    found = check.outcome.differences
    lines = [f"Not reproduced ({check.run}, {check.what}):"]
    lines += [one_line(f"  {one}") for one in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"  and {len(found) - SHOWN} more")
    if check.what == ANEW and check.outcome.within_tolerance:
        lines.append(
            "  All of this is within what another device may change: perhaps the processor is"
            " another one of the same name."
        )
    if check.what == RECORDED and any(one.keys == (SPEED.as_posix(),) for one in found):
        lines.append(
            "  All reports share these speeds: since DVC recorded them, a file of theirs was edited"
            " or removed, or one of another machine or plan was added. `git status"
            f" {SPEED.as_posix()}` tells which; `dvc commit -f benchmark` records what is meant."
        )
    return "\n".join(lines)


def _obstacles(heading: str, undone: Sequence[Check]) -> str:
    """Name what could not be checked, runs with the same obstacle together."""
    runs: dict[tuple[str, str], list[str]] = {}
    for check in undone:
        runs.setdefault((check.what, check.obstacle), []).append(check.run)
    lines = [
        one_line(f"  {what} ({', '.join(names)}): {why}") for (what, why), names in runs.items()
    ]
    return "\n".join([heading, *lines])
