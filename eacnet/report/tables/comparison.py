"""The comparison with published methods: their figures as they state them, ours as measured."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eacnet.errors import InputError
from eacnet.report.tables.speed import form_name
from eacnet.report.tables.table import MISSING, TIMES, Cell, Number, Table, mark_within
from eacnet.report.tables.timing import Timing, representative

# Generated scenes have Cityscapes' classes; nobody has published scores on them.
LIKE = {"synthetic": "cityscapes"}
COLUMNS = (
    "method",
    "dataset",
    "split",
    "image",
    "mIoU (%)",
    "parameters (M)",
    "pretraining",
    "FPS",
    "device",
    "timed",
    "source",
)
REQUIRED = {"method", "dataset", "split", "miou_percent", "fps", "device", "source"}
REQUIRED |= {"input_height", "input_width", "params_millions", "pretraining"}

Row = dict[str, str]


def read_published(path: Path) -> list[Row]:
    """Read data/published.csv; every value stays the text that it is.

    Raises:
        InputError: the file or one of its columns is missing, or a figure is none.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            lacking = REQUIRED - set(table.fieldnames or ())
            if lacking:
                raise InputError(f"{path}: missing column {', '.join(sorted(lacking))}")
            rows = []
            for row in table:
                for name in ("miou_percent", "fps", "params_millions"):
                    _stated(row[name])
                rows.append(row)
            return rows
    except FileNotFoundError:
        raise InputError(f"{path} is missing; `git checkout {path}` brings it back") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}, line {table.line_num}: {error}") from None


def comparison(
    published: Sequence[Row],
    own: Sequence[dict[str, Any]],
    timed: Sequence[Timing],
    data: dict[str, Any],
    split: str,
) -> Table:
    """Return the table of published methods and our networks on one dataset.

    Args:
        published: as `read_published` returns them.
        own: our networks: "backbone", "calibration", "seeds" (a list), "miou" (mean and std),
            "parameters" (None if unknown), "pretraining" and "source" (in words, with the commit).
        timed: all timings.
        data: dataset.json of the prepared store.
        split: name of the split that our networks were scored on.
    """
    dataset, size = data["dataset"], data["size"]
    shown = [row for row in published if row["dataset"] == LIKE.get(dataset, dataset)]
    shown.sort(key=lambda row: row["dataset"] == "camvid" and _image(row))
    rows = [_published(row) for row in shown]
    for network in own:
        rows += _measured(network, timed, dataset, split, size)
    # SegNet's labels of 360x480 and the authors' own of 720x960 are different tasks.
    groups = [(row[1], row[2], row[3] if row[1] == "camvid" else "") for row in rows]
    scores = mark_within([row[4] for row in rows], groups)
    rows = [[*row[:4], score, *row[5:]] for row, score in zip(rows, scores, strict=True)]
    note = (
        "Published figures are quoted from the source that is named, ours are marked as measured."
        " Best mIoU in bold, second underlined, among rows of one dataset and split"
    )
    if dataset == "camvid":
        note += ", and of one image size, because the frames of 720x960 carry another set of labels"
    note += (
        ". Frame rates are not ranked: they were taken on different devices and in different"
        " scopes, and few sources say which. Ours: the fastest fp32 runtime on that device, one"
        " image at a time, from the 8-bit image to the label map."
    )
    if dataset in LIKE:
        note += (
            f" Scores on generated scenes and on {LIKE[dataset]} do not compare; nobody has"
            " published any on generated scenes."
        )
    elif not shown:
        note += " There are no published figures for this dataset."
    return Table("comparison", "Comparison with published methods", note, COLUMNS, rows)


def _published(row: Row) -> list[Cell]:
    return [
        row["method"],
        row["dataset"],
        row["split"] or MISSING,
        _image(row),
        _stated(row["miou_percent"]),
        _stated(row["params_millions"]),
        row["pretraining"] or MISSING,
        _stated(row["fps"]),
        row["device"] or MISSING,
        MISSING,
        row["source"],
    ]


def _measured(
    network: dict[str, Any], timed: Sequence[Timing], dataset: str, split: str, size: Sequence[int]
) -> list[list[Cell]]:
    """Return a row for each device that the network was timed on, or one without a frame rate."""
    backbone, calibration = network["backbone"], network["calibration"]
    name = f"{backbone}, no calibration" if calibration == "none" else f"{backbone}, {calibration}"
    millions = network["parameters"] and network["parameters"] / 1e6
    seeds = len(network["seeds"])
    source = network["source"] if seeds == 1 else f"{network['source']}, mean of {seeds} seeds"
    common = [
        f"ours: {name}",
        dataset,
        split,
        f"{size[0]} {TIMES} {size[1]}",
        Number(network["miou"]["mean"], network["miou"]["std"]),
        Number(millions),
        network["pretraining"],
    ]
    devices = representative(timed, backbone, calibration, size)
    if not devices:
        return [[*common, Number(None), MISSING, MISSING, source]]
    return [
        [
            *common,
            Number(row["fps"], decimals=1),
            device,
            f"{row['scope']}, {form_name(row)}, {row['height']} {TIMES} {row['width']}",
            source,
        ]
        for device, row in devices.items()
    ]


def _image(row: Row) -> str:
    height, width = row["input_height"], row["input_width"]
    return f"{height} {TIMES} {width}" if height and width else MISSING


def _stated(text: str) -> Number:
    """Return a figure with the digits that its source gives."""
    if not text:
        return Number(None)
    return Number(float(text), decimals=len(text.partition(".")[2]))
