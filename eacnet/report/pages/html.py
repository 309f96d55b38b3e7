"""The page of an experiment for the browser: one file that needs no network, opened from disk."""

import base64
import hashlib
import io
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from eacnet.report.figures.drawing import Drawing
from eacnet.report.figures.examples import Example, key
from eacnet.report.pages import words
from eacnet.report.pages.chart import chart
from eacnet.report.pages.readme import ORIGIN
from eacnet.report.results import Results
from eacnet.report.tables import shown
from eacnet.report.tables.columns import compared, own
from eacnet.report.tables.speed import form_name, representative
from eacnet.report.tables.table import gain_text, number
from eacnet.report.tables.text import TIMES

# The viewer shows these frames itself.
SHOWN_BY_VIEWER = {"examples"}
SCRIPTS = ("page.js", "chart.js")
# Pixels; larger frames are shown smaller, so that the page stays below ten megabytes.
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
    examples: Sequence[Example],
    figures: Sequence[Drawing],
    files: Mapping[str, bytes],
) -> str:
    """Return the page; the same results give the same bytes.

    Args:
        results: all that the page tells.
        examples: the frames of the viewer.
        figures: those that were drawn.
        files: what lies in figures/, by name; of two formats, SVG is shown.
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
    style, *scripts = (_source(environment, name) for name in ("page.css", *SCRIPTS))
    script = Markup("").join(scripts)
    tables = shown(results)
    text = environment.get_template("page.html").render(
        title=words.title(results),
        summary=words.summary(results),
        facts=headline(results),
        tables=[table for table in tables if table.name not in ORIGIN],
        origin=[table for table in tables if table.name in ORIGIN],
        # Cells were escaped when they were written.
        rows={table.name: Markup(table.html()) for table in tables if len(table.frame)},
        views=[view(example) for example in examples],
        layers=layers,
        first=("coarse" if calibrated else "truth", "prediction"),
        classes=[(one["name"], _hex(one["color"])) for one in results.data.get("classes", ())],
        error_key=[(name, _hex(color)) for name, color in key(calibrated)],
        points=chart(results),
        figures=[
            (one, one.caption(results), _picture(one, files))
            for one in figures
            if one.name not in SHOWN_BY_VIEWER
        ],
        how_to_repeat=words.how_to_repeat(results).replace("`", ""),
        command=words.command(results),
        style=style,
        script=script,
        policy=_policy(style, script),
    )
    return re.sub(r"\n\s*\n+", "\n", text)


def headline(results: Results) -> list[tuple[str, str, str]]:
    """Return the few figures that matter most: (what, how much, of what)."""
    evaluation = results.evaluation
    frames = f"{evaluation['frames']:,} frames of split {results.split}"
    facts = [("mIoU", f"{number(evaluation['miou'])} %", frames)]
    if evaluation["boundary_f1"] is not None:
        facts.append(("boundary F1", f"{number(evaluation['boundary_f1'])} %", "mean over frames"))
    if group := own(results, results.network):
        runs = f"{len(group['seeds'])} seed{'s' if len(group['seeds']) > 1 else ''}"
        if gain := compared(group).get("none", {}).get("miou"):
            facts.append(("gain from calibration", gain_text(gain), f"points of mIoU, {runs}"))
    chosen = representative(results.timed, *results.network, results.size)
    for device, row in chosen.items():
        size = f"{row['height']} {TIMES} {row['width']}"
        rate = number(row["fps"], digits=1)
        facts.append(("frames per second", rate, f"{device}, {size}, {form_name(row)}"))
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


def _picture(figure: Drawing, files: Mapping[str, bytes]) -> str:
    if svg := files.get(f"{figure.name}.svg"):
        return _data_uri("image/svg+xml", svg)
    data = files[f"{figure.name}.png"]
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
