"""The page of one experiment: results as Markdown that GitHub shows, the same text each time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eacnet.report.figures.captions import captions, gallery
from eacnet.report.pages.accuracy import accuracy, edges
from eacnet.report.pages.attention import attention
from eacnet.report.tables.ablation import ablation
from eacnet.report.tables.gains import gain
from eacnet.report.tables.speed import speed
from eacnet.report.tables.table import MISSING, TIMES, Number, Table, escape, markdown

NAMES = {
    "synthetic": "generated street scenes",
    "camvid": "CamVid",
    "cityscapes": "Cityscapes",
    "folder": "a user's own frames",
}


BESIDE = (
    "The same [as a page for the browser](index.html), which needs no network: every two of image,"
    " truth and predictions side by side, tables that sort. All tables for papers, in Markdown,"
    " LaTeX and CSV: [the ablation](tables/ablation.tex) and those beside it. What is reproducible,"
    " [item by item](checklist.md).\n"
)


class Run(NamedTuple):
    """Where a trained network and its scores come from: training.json, provenance of the scores."""

    training: dict[str, Any]
    scored: dict[str, Any]


@dataclass(frozen=True)
class Results:
    """All that a page tells, as the result files hold it.

    Attributes:
        variant: which recipe of the dataset.
        data: dataset.json of the prepared store.
        split: name of the split that was scored.
        validated_on: name of the split behind the training curve, None where there is none.
        training: training.json of the main network.
        evaluation: evaluation.json of the main network.
        ablation: ablation.json.
        speed: the files of reports/speed.
        published: figures of other methods, as `comparison.read_published` returns them.
        runs: where each (backbone, calibration) of the ablation comes from, one for each seed.
        attention: attention.json of the main network.
        figures: names of the figures that lie in figures/.
    """

    variant: str
    data: dict[str, Any]
    split: str
    validated_on: str | None
    training: dict[str, Any]
    evaluation: dict[str, Any]
    ablation: dict[str, Any]
    speed: Sequence[dict[str, Any]]
    published: Sequence[dict[str, str]] = ()
    runs: Mapping[tuple[str, str], Sequence[Run]] = field(default_factory=dict)
    attention: dict[str, Any] | None = None
    figures: Sequence[str] = ()


def page(results: Results) -> str:
    """Return the page; `results.figures` lie beside it in figures/."""
    calibrated, trained_on = bool(results.evaluation["coarse"]), results.training["trained_on"]
    return "\n".join(
        [
            introduction(results),
            BESIDE,
            accuracy(results.evaluation),
            edges(results.evaluation),
            *filter(None, [attention(results.attention)]),
            ablation(results.ablation),
            speed(results.speed),
            *gallery(results.figures, captions(calibrated, results.validated_on, trained_on)),
            origin(results),
        ]
    )


def introduction(results: Results) -> str:
    """Say what was trained on what, for how long, what it was scored on, and what came out."""
    method, score, *more = summary(results)
    figure = f"{Number(results.evaluation['miou'])} % mIoU"
    outcome = " ".join([escape(score).replace(figure, f"**{figure}**", 1), *more])
    return f"# {title(results)}\n\n{escape(method)}\n\n{outcome}\n"


def title(results: Results) -> str:
    """Return the heading of the page."""
    return f"EACNet on {NAMES[results.data['dataset']]}: {_network(results.training)}"


def summary(results: Results) -> list[str]:
    """Say in plain text what was done, what came out, and how much of it calibration explains."""
    data, training, evaluation = results.data, results.training, results.evaluation
    said = [
        f"The network ({_network(training)}) {_history(results)} scored on the"
        f" {evaluation['frames']:,} frames of split {results.split} ({_size(data['size'])} pixels,"
        " one scale, no flipping).",
        f"The result is {Number(evaluation['miou'])} % mIoU and"
        f" {Number(evaluation['pixel_accuracy'])} % pixel accuracy.",
    ]
    if results.split in training["trained_on"]:
        said.append("The network has seen these frames in training: this is no test.")
    if gained := gain(results.ablation, training["backbone"], training["calibration"]):
        said.append(gained)
    return said


def origin(results: Results) -> str:
    """Say which code, data, machine and recipe the results come from, and how to repeat them."""
    facts, how = sources(results), recipe(results)
    parts = ["## Where this comes from\n", markdown(facts.columns, facts.rows)]
    if facts.note:
        parts.append(f"{facts.note}\n")
    parts += [f"{how.caption}:\n", markdown(how.columns, how.rows)]
    parts.append(
        "To repeat it, check out the commit and run this, or plain `dvc repro` where params.yaml"
        f" selects this dataset already:\n\n```sh\n{command(results)}\n```\n"
    )
    return "\n".join(parts)


def sources(results: Results) -> Table:
    """Return code, data, machine and versions of training and evaluation."""
    training, evaluation = results.training, results.evaluation["provenance"]
    facts = [_facts(training), _facts(evaluation)]
    names = dict.fromkeys(name for source in facts for name in source)
    rows = [[name, *(source.get(name, MISSING) for source in facts)] for name in names]
    note = ""
    if training["code"]["modified"] or evaluation["code"]["modified"]:
        note = "Modified files differ from the commit, so the commit alone does not give this"
        note += " result."
    return Table("sources", "Where this comes from", note, ["", "training", "evaluation"], rows)


def recipe(results: Results) -> Table:
    """Return every parameter of the training."""
    training = results.training
    rows = [["seed", str(training["seed"])], *map(list, _flat(training["recipe"]))]
    return Table("recipe", "The recipe", "", ["parameter", "value"], rows)


def command(results: Results) -> str:
    """Return the command that repeats the experiment."""
    select = f"-S dataset={results.data['dataset']}"
    if results.variant:
        select += f" -S variant={results.variant}"
    return f"dvc exp run {select}"


def _history(results: Results) -> str:
    """Say what became of the network before it was scored: "was ..., ..."."""
    data, training = results.data, results.training
    recipe, splits = training["recipe"], training["trained_on"]
    name = NAMES[data["dataset"]]
    if not splits:
        start = training["init"]
        return (
            f"was taken as it is from {start['path']} (SHA-256 {start['sha256'][:12]}), not trained"
            f" here. On {name} ({data['protocol']}) it was"
        )
    frames = sum(data["splits"][split]["frames"] for split in splits)
    return (
        f"was trained on {frames:,} frames of {name} (split{'s' if len(splits) > 1 else ''}"
        f" {' and '.join(splits)}; {data['protocol']}) for {recipe['epochs']:,} epochs in batches"
        f" of {recipe['batch']} crops of {_size(recipe['crop'])} pixels, with seed"
        f" {training['seed']}. The weights of the last epoch were"
    )


def _network(training: dict[str, Any]) -> str:
    calibration = training["calibration"]
    how = "no calibration" if calibration == "none" else f"calibration {calibration}"
    return f"backbone {training['backbone']}, {how}"


def _facts(source: dict[str, Any]) -> dict[str, str]:
    """Return what a provenance record says, as rows of a table."""
    commit, modified = source["code"]["commit"], source["code"]["modified"]
    return {
        "commit": commit[:12] if commit else MISSING,
        "modified files": MISSING if modified is None else _first(modified),
        "data (SHA-256)": source["data"][:12],
        "device": source["device"],
        "threads": str(source["threads"]),
        "processes": str(source.get("processes", MISSING)),
        **source["versions"],
    }


def _first(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every value of nested dicts under its dotted name."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)


def _size(size: Sequence[int]) -> str:
    return f"{size[0]} {TIMES} {size[1]}"
