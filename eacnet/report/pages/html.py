"""The page of an experiment for the browser: one file that needs no network, opened from disk."""

import base64
import hashlib
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from eacnet.report.figures.captions import Caption, captions
from eacnet.report.figures.examples import Example, key
from eacnet.report.pages import page
from eacnet.report.pages.page import Results
from eacnet.report.tables.cells import gained
from eacnet.report.tables.speed import form_name
from eacnet.report.tables.table import TIMES, Number, Table
from eacnet.report.tables.timing import representative, timings

# The viewer shows these frames itself.
SHOWN_BY_VIEWER = {"examples"}
# Pixels; larger frames are shown smaller, so that the page stays below MOST_BYTES.
WIDEST = 1024
QUALITY = 85
# Pictures of more bytes than this are embedded as WebP.
LARGE = 400_000
LAYERS = {
    "photo": "photo only",
    "truth": "truth",
    "coarse": "coarse",
    "prediction": "calibrated",
    "errors": "errors",
}


@dataclass(frozen=True)
class View:
    """A frame as the viewer takes it: a photo as data URI, class maps as base64 of zlib bytes."""

    title: str
    width: int
    height: int
    photo: str
    maps: dict[str, str]


def html(
    results: Results,
    tables: Sequence[Table],
    examples: Sequence[Example],
    figures: Mapping[str, bytes],
) -> str:
    """Return the page; the same results give the same bytes.

    Args:
        results: all that the page tells.
        tables: the tables that are also written as files, in the order of the page.
        examples: the frames of the viewer.
        figures: the files of figures/, by name; of two formats, SVG is shown.
    """
    calibrated = results.evaluation["coarse"] is not None
    layers = {name: label for name, label in LAYERS.items() if calibrated or name != "coarse"}
    if not calibrated:
        layers["prediction"] = "prediction"
    environment = Environment(
        loader=PackageLoader("eacnet.report.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_source(environment, name) for name in ("page.css", "page.js"))
    text = environment.get_template("page.html").render(
        title=page.title(results),
        summary=page.summary(results),
        facts=headline(results),
        tables=tables,
        views=[view(example) for example in examples],
        layers=layers,
        first=("coarse" if calibrated else "truth", "prediction"),
        classes=[(entry["name"], _hex(entry["color"])) for entry in results.data["classes"]],
        error_key=[(name, _hex(color)) for name, color in key(calibrated)],
        figures=_embedded(
            figures, captions(calibrated, results.validated_on, results.training["trained_on"])
        ),
        sources=page.sources(results),
        recipe=page.recipe(results),
        command=page.command(results),
        style=style,
        script=script,
        policy=_policy(style, script),
    )
    return re.sub(r"\n\s*\n+", "\n", text)


def headline(results: Results) -> list[tuple[str, str, str]]:
    """Return the few figures that matter most: (what, how much, of what)."""
    training, evaluation = results.training, results.evaluation
    network = (training["backbone"], training["calibration"])
    frames = f"{evaluation['frames']:,} frames of split {results.split}"
    facts = [("mIoU", f"{Number(evaluation['miou'])} %", frames)]
    if evaluation["boundary_f1"] is not None:
        facts.append(("boundary F1", f"{Number(evaluation['boundary_f1'])} %", "mean over frames"))
    for group in results.ablation["groups"]:
        if (group["backbone"], group["calibration"]) == network and group["gain"]:
            runs = f"{len(group['seeds'])} seed{'s' if len(group['seeds']) > 1 else ''}"
            gain = gained(group["gain"].get("miou"))
            facts.append(("gain from calibration", str(gain), f"points of mIoU, {runs}"))
    for device, row in representative(
        timings(results.speed), *network, results.data["size"]
    ).items():
        rate = Number(row["fps"], decimals=1)
        size = f"{row['height']} {TIMES} {row['width']}"
        facts.append(("frames per second", str(rate), f"{device}, {size}, {form_name(row)}"))
    return facts


def view(example: Example) -> View:
    """Make a frame ready for the viewer, in a size that screens show."""
    step = -(-example.image.shape[1] // WIDEST)
    maps = {"truth": example.truth, "coarse": example.coarse, "prediction": example.prediction}
    small = {name: ids[::step, ::step] for name, ids in maps.items() if ids is not None}
    height, width = small["truth"].shape
    photo = Image.fromarray(np.ascontiguousarray(example.image))
    if step > 1:
        photo = photo.resize((width, height), Image.Resampling.BOX)
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=QUALITY, optimize=True)
    packed = {name: zlib.compress(ids.tobytes(), 9) for name, ids in small.items()}
    return View(
        example.title,
        width,
        height,
        _data_uri("image/jpeg", file.getvalue()),
        {name: base64.b64encode(data).decode() for name, data in packed.items()},
    )


def _embedded(
    figures: Mapping[str, bytes], captions: Mapping[str, Caption]
) -> list[tuple[Caption, str]]:
    """Return the figures that have a caption, in the order of the captions, as data URIs."""
    files: dict[str, tuple[str, bytes]] = {}
    for name in sorted(figures):  # of one stem, .svg sorts behind .png and replaces it
        files[PurePath(name).stem] = (PurePath(name).suffix, figures[name])
    return [
        (caption, _picture(*files[stem]))
        for stem, caption in captions.items()
        if stem in files and stem not in SHOWN_BY_VIEWER
    ]


def _picture(suffix: str, data: bytes) -> str:
    if suffix == ".svg":
        return _data_uri("image/svg+xml", data)
    if len(data) <= LARGE:
        return _data_uri("image/png", data)
    file = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(file, "WEBP", quality=QUALITY)
    return _data_uri("image/webp", file.getvalue())


def _source(environment: Environment, name: str) -> Markup:
    """Return a file of templates/ as it is: our own code, no result in it."""
    text, _, _ = environment.loader.get_source(environment, name)
    # The page is tidied of blank lines, and the hash must be of what stands in it.
    return Markup(re.sub(r"\n\s*\n+", "\n", text))


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: nothing from a network, no other code than ours."""
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}';"
        f" script-src 'sha256-{hashes[1]}'; base-uri 'none'; form-action 'none'"
    )


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _hex(color: Any) -> str:
    return "#" + "".join(f"{level:02x}" for level in color)
