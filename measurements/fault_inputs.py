"""Bad inputs as a table: what is spoiled, and the command that then meets it."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_media import BAD_COMMANDS, BAD_FRAMES, BAD_MEDIA, BAD_MODELS, spoil_model
from ruamel.yaml import YAML

GONE = object()
VALUES = (GONE, None, "text", -1, 1.5, [], {}, True, 2**62, float("nan"), float("inf"))
MAIN = "reports/synthetic/main"
VERIFY = ["eacnet", "verify", "--counts-only"]
# File, the command that reads it, how many mutations, whether each must be noticed.
RESULTS = (
    (f"{MAIN}/evaluation.json", VERIFY, 24, True),
    (f"{MAIN}/metrics.json", VERIFY, 10, True),
    (f"{MAIN}/counts.json", VERIFY, 10, True),
    ("reports/synthetic/metrics.json", VERIFY, 8, True),
    ("reports/synthetic/ablation.json", VERIFY, 24, None),
    ("reports/synthetic/cells/dab-pooled-1/counts.json", VERIFY, 6, True),
    ("reports/synthetic/cells/dab-none-1/training.json", ["stages.summarise"], 14, None),
    ("reports/synthetic/cells/dab-none-1/evaluation.json", ["stages.summarise"], 6, None),
    (f"{MAIN}/training.json", ["stages.index"], 14, False),
    ("reports/synthetic/ablation.json", ["stages.index"], 10, False),
    ("reports/speed/amd-epyc-2-cores-quick.json", ["stages.index"], 12, False),
    (f"{MAIN}/attention.json", ["stages.report"], 8, None),
    ("reports/speed/amd-epyc-2-cores-quick.json", ["stages.report"], 12, None),
    ("data/prepared/synthetic/dataset.json", ["stages.evaluate"], 24, None),
)
PARAMS = 60
# What can be at the place of a file; the second says whether it is a file still.
DAMAGES: dict[str, Callable[[Path], Any]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2]),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00" * 99),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path.name)),
    "zeros": lambda path: path.write_bytes(bytes(len(path.read_bytes()))),
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
    "a list": lambda path: path.write_text("[1, 2]", encoding="utf-8"),
    "a long number": lambda path: path.write_text("9" * 5000, encoding="utf-8"),
}
BINARY = ("missing", "empty", "cut", "no text", "a folder", "a link to itself", "zeros")


@dataclass(frozen=True)
class Case:
    """A bad input.

    Attributes:
        name: for people, unique.
        kind: row of the table.
        spoil: does it, given the project's folder.
        command: "eacnet" or a stage, and its arguments.
        must_fail: whether it has to end with an exit code other than 0; None: it may be harmless.
    """

    name: str
    kind: str
    spoil: Callable[[Path], Any]
    command: list[str]
    must_fail: bool | None = None


def cases(project: Path) -> Iterator[Case]:
    """Yield all bad inputs, the same ones each time."""
    yield from _params(project)
    for file, command, number, must_fail in RESULTS:
        yield from _results(project, file, command, number, must_fail)
    yield from _stores(project)
    yield from _trainings(project)
    for name, change in BAD_MODELS.items():
        for command in (["eacnet", "predict", "image.png", "--model", "bad.safetensors"],
                        ["eacnet", "export", "bad.safetensors", "bad.onnx"]):  # fmt: skip

            def spoil(root: Path, change: Any = change) -> None:
                spoil_model(
                    root / "models/synthetic/main.safetensors", root / "bad.safetensors", change
                )

            harmless = (name, command[1]) == ("no colours", "export")
            must_fail = None if harmless else True
            yield Case(f"model {name}, {command[1]}", "model files", spoil, command, must_fail)
    predict = ["eacnet", "predict", "--model", "models/synthetic/main.safetensors"]
    for name, (spoil, arguments, must_fail) in BAD_MEDIA.items():
        yield Case(f"media {name}", "images and videos", spoil, [*predict, *arguments], must_fail)
    for name, (spoil, command) in BAD_COMMANDS.items():
        yield Case(f"command {name}", "commands", spoil, command, True)
    for name, spoil in BAD_FRAMES.items():
        yield Case(f"frames {name}", "raw frames", _on_own_frames(spoil), ["stages.prepare"], True)


def mutations(content: Any, number: int, seed: int) -> Iterator[tuple[str, Any]]:
    """Yield so many of the ways to spoil one value of JSON: its dotted key, what it becomes."""
    keys = [*_keys(content)]
    draw = random.Random(seed)
    for _ in range(number):
        yield draw.choice(keys), draw.choice(VALUES)


def mutated(content: Any, key: str, value: Any) -> Any:
    """Return a copy of JSON with one value replaced or gone."""
    content = json.loads(json.dumps(content))
    *parents, last = key.split("\0")
    node = content
    for parent in parents:
        node = node[int(parent) if isinstance(node, list) else parent]
    last = int(last) if isinstance(node, list) else last
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return content


def _keys(content: Any, prefix: str = "") -> Iterator[str]:
    """Yield the keys of all values; of long lists and objects, the first few."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in [*pairs][:8]:
        yield f"{prefix}{key}"
        if isinstance(value, (dict, list)) and value:
            yield from _keys(value, f"{prefix}{key}\0")


def _params(project: Path) -> Iterator[Case]:
    content = YAML(typ="safe").load(project / "params.yaml")
    for key, value in mutations(content, PARAMS, 1):

        def spoil(root: Path, key: str = key, value: Any = value) -> None:
            yaml = YAML(typ="safe")
            yaml.dump(mutated(content, key, value), root / "params.yaml")

        yield Case(f"params {_shown(key, value)}", "params.yaml", spoil, ["stages.environment"])
    for name in ("missing", "empty", "cut", "no text", "a folder", "zeros", "a list"):

        def damage(root: Path, name: str = name) -> None:
            DAMAGES[name](root / "params.yaml")

        must_fail = None if name == "cut" else True
        yield Case(f"params {name}", "params.yaml", damage, ["stages.environment"], must_fail)


def _results(
    project: Path, file: str, command: list[str], number: int, must_fail: bool | None
) -> Iterator[Case]:
    content = json.loads((project / file).read_text(encoding="utf-8"))
    what = f"{Path(file).parent.name}/{Path(file).name}, {command[0].removeprefix('stages.')}"
    names = DAMAGES if number > 8 else ("missing", "empty", "deep")
    for name in names:

        def damage(root: Path, name: str = name) -> None:
            DAMAGES[name](root / file)

        noticed = must_fail if name != "missing" else must_fail and True
        yield Case(f"result {what} {name}", "result files", damage, command, noticed)
    for index, (key, value) in enumerate(mutations(content, number, len(file))):

        def spoil(root: Path, key: str = key, value: Any = value) -> None:
            text = json.dumps(mutated(content, key, value))
            (root / file).write_text(text, encoding="utf-8")

        # Where a network was scored is checked by scoring it anew alone.
        noticed = None if key.startswith("provenance") and must_fail else must_fail
        name = f"result {what} {index} {_shown(key, value)}"
        yield Case(name, "result files", spoil, command, noticed)


def _stores(project: Path) -> Iterator[Case]:
    for array in ("images", "labels"):
        for name in BINARY:

            def damage(root: Path, name: str = name, array: str = array) -> None:
                DAMAGES[name](root / f"data/prepared/synthetic/test/{array}.npy")

            yield Case(
                f"store {array} {name}", "prepared stores", damage, ["stages.evaluate"], True
            )


def _trainings(project: Path) -> Iterator[Case]:
    """Damaged states of trainings must heal: they end as if the file had never been there."""
    keys = sorted(path.name for path in (project / ".cache/trained").iterdir() if path.is_dir())
    for name in BINARY[1:4] + BINARY[6:]:

        def checkpoint(root: Path, name: str = name) -> None:
            import shutil

            shutil.rmtree(root / ".cache/trained")
            for key in keys:
                path = root / f".cache/training/{key}.pt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes((root / "models/synthetic/main.safetensors").read_bytes())
                DAMAGES[name](path)

        def finished(root: Path, name: str = name) -> None:
            for key in keys:
                DAMAGES[name](root / f".cache/trained/{key}/weights.safetensors")

        yield Case(f"checkpoint {name}", "trainings", checkpoint, ["stages.train"], False)
        yield Case(f"finished training {name}", "trainings", finished, ["stages.train"], False)


def _on_own_frames(spoil: Callable[[Path], Any]) -> Callable[[Path], None]:
    def select(root: Path) -> None:
        yaml = YAML()
        params = yaml.load(root / "params.yaml")
        params["dataset"] = "folder"
        yaml.dump(params, root / "params.yaml")
        spoil(root / "data/raw/folder")

    return select


def _shown(key: str, value: Any) -> str:
    return f"{key.replace(chr(0), '.')} {'gone' if value is GONE else repr(value)}"
