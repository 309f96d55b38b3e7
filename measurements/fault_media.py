"""Bad model files, images, videos, frames and command lines."""

import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MODEL = "models/synthetic/main.safetensors"
_RAW: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda b: b"",
    "cut in the header": lambda b: b[:300],
    "cut in the weights": lambda b: b[:-1000],
    "longer": lambda b: b + b"x",
    "huge header": lambda b: struct.pack("<Q", 2**62) + b[8:],
    "header of nothing": lambda b: struct.pack("<Q", 2) + b"{}",
    "header of a list": lambda b: struct.pack("<Q", 2) + b"[]",
    "a picture": lambda b: b"\x89PNG\r\n" * 99,
    "text": lambda b: b"no model",
}
_METADATA: dict[str, dict[str, str | None]] = {
    "no metadata": dict.fromkeys(
        ("eacnet_format", "backbone", "calibration", "num_classes", "classes", "mean", "std")
    ),
    "std 0": {"std": "[0, 1, 1]"},
    "std NaN": {"std": "[NaN, 1, 1]"},
    "std of two": {"std": "[1, 1]"},
    "std text": {"std": '"one"'},
    "mean infinite": {"mean": "[Infinity, 1, 1]"},
    "mean null": {"mean": "null"},
    "no classes": {"classes": "[]"},
    "a class less": {"classes": "[{}]"},
    "classes of text": {"classes": json.dumps(["road"] * 19)},
    "classes of one name": {"classes": json.dumps([{"name": "a", "color": [1, 2, 3]}] * 19)},
    "no colours": {"classes": json.dumps([{"name": f"a{i}"} for i in range(19)])},
    "bad colours": {
        "classes": json.dumps([{"name": f"{i}", "color": [1, 999]} for i in range(19)])
    },
    "classes deep": {"classes": "[" * 50_000},
    "other backbone": {"backbone": "erf"},
    "unknown backbone": {"backbone": "../x"},
    "other calibration": {"calibration": "none"},
    "unknown calibration": {"calibration": "x"},
    "other number of classes": {"num_classes": "11"},
    "negative number of classes": {"num_classes": "-19"},
    "endless number of classes": {"num_classes": "9" * 30},
    "other format": {"eacnet_format": "99"},
}
_TENSORS: dict[str, Callable[[Any], Any]] = {
    "NaN weights": lambda t: t * float("nan"),
    "infinite weights": lambda t: t + float("inf"),
    "other shape": lambda t: t.reshape(-1),
    "integers": lambda t: t.long() * 0 + 2**60,
}
BAD_MODELS: dict[str, Any] = {**_RAW, **_METADATA, **_TENSORS, "negative variance": "variance"}


def spoil_model(good: Path, bad: Path, change: Any) -> None:
    """Write a spoiled copy of a model file: other bytes, other metadata or other tensors."""
    import safetensors.torch
    from safetensors import safe_open

    if change in _RAW.values():
        bad.write_bytes(change(good.read_bytes()))
        return
    with safe_open(good, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    if isinstance(change, dict):
        metadata = {k: v for k, v in (metadata | change).items() if v is not None}
    elif change == "variance":
        name = next(name for name in tensors if name.endswith("running_var"))
        tensors[name] = tensors[name] - 99
    else:
        name = "classifier.weight"
        tensors[name] = change(tensors[name])
    safetensors.torch.save_file(tensors, bad, metadata or {"empty": ""})


def _file(name: str, content: bytes | Callable[[Path], bytes]) -> Callable[[Path], None]:
    def write(root: Path) -> None:
        target = Path(os.fsdecode(os.fsencode(root) + b"/" + os.fsencode(name)))
        target.write_bytes(content(root) if callable(content) else content)

    return write


def _cut(source: str, share: float) -> Callable[[Path], bytes]:
    def content(root: Path) -> bytes:
        whole = (root / source).read_bytes()
        return whole[: int(share * len(whole))]

    return content


def _flipped(source: str, seed: int) -> Callable[[Path], bytes]:
    def content(root: Path) -> bytes:
        data = bytearray((root / source).read_bytes())
        random = np.random.default_rng(seed)
        for place in random.integers(len(data), size=20):
            data[place] ^= int(random.integers(1, 256))
        return bytes(data)

    return content


def _image(mode: str, size: tuple[int, int], **options: Any) -> Callable[[Path], None]:
    return lambda root: Image.new(mode, size).save(root / "bad.tif", **options)


def _pages(root: Path) -> None:
    page = Image.new("RGB", (64, 48))
    page.save(root / "bad.tif", save_all=True, append_images=[page])


def _bomb(root: Path) -> None:
    """A PNG that says it is 60000 by 60000 pixels."""
    data = bytearray((root / "image.png").read_bytes())
    data[16:24] = struct.pack(">II", 60000, 60000)
    (root / "bad.png").write_bytes(data)


def _copied(source: str, name: str) -> Callable[[Path], None]:
    return _file(name, _cut(source, 1))


_PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nvideo.mp4\n#EXT-X-ENDLIST\n"
# What is written, what predict is asked for, whether it must fail (None: it may).
BAD_MEDIA: dict[str, tuple[Callable[[Path], Any], list[str], bool | None]] = {
    **{
        f"{suffix} cut at {share}": (
            _file(f"bad.{suffix}", _cut(f"image.{suffix}", share)), [f"bad.{suffix}"], True
        )
        for suffix in ("png", "jpg", "bmp", "tif", "webp", "ppm")
        for share in (0, 0.3, 0.8)
    },
    **{
        f"{suffix} with flipped bytes {seed}": (
            _file(f"bad.{suffix}", _flipped(f"image.{suffix}", seed)), [f"bad.{suffix}"], None
        )
        for suffix in ("png", "jpg", "tif", "webp")
        for seed in (1, 2, 3)
    },
    **{
        f"video cut at {share}": (_file("bad.mp4", _cut("video.mp4", share)), ["bad.mp4"], None)
        for share in (0, 0.3, 0.8, 0.99)
    },
    **{
        f"video with flipped bytes {seed}": (
            _file("bad.mp4", _flipped("video.mp4", seed)), ["bad.mp4"], None
        )
        for seed in (1, 2, 3, 4)
    },
    **{
        f"video named {name!r}": (_copied("video.mp4", name), ["--", name], False)
        for name in ("12:30 drive.mp4", "file:other.mp4", "a%03d.mp4", "-x.mp4", "a\nb.mp4",
                     "[a].mp4", "http:a.mp4", "concat:a|b.mp4")
    },
    **{
        f"image named {name!r}": (_copied("image.png", name), ["--", name], False)
        for name in ("-x.png", "a\nb.png", "*.png", "a\x1b[31m.png", "caf\udce9.png", "~.png",
                     "x" * 240 + ".png", "a%d.png", "..png", " .png")
    },
    "a playlist as video": (_file("bad.mp4", _PLAYLIST), ["bad.mp4"], True),
    "text as image": (_file("bad.png", b"no image"), ["bad.png"], True),
    "text as video": (_file("bad.mp4", b"no video" * 99), ["bad.mp4"], True),
    "an image named a video": (_copied("image.png", "bad.mp4"), ["bad.mp4"], None),
    "of one pixel": (_image("RGB", (1, 1)), ["bad.tif"], None),
    "of floating point": (_image("F", (64, 48)), ["bad.tif"], True),
    "of 32 bits": (_image("I", (64, 48)), ["bad.tif"], True),
    "of many pages": (_pages, ["bad.tif"], True),
    "too large to be true": (_bomb, ["bad.png"], True),
    "a pipe": (lambda root: os.mkfifo(root / "bad.png"), ["bad.png"], True),
    "no right to read": (lambda root: (root / "image.png").chmod(0), ["image.png"], None),
    "one bad among good": (_file("bad.png", b""), ["bad.png", "image.png", "image.jpg"], True),
}  # fmt: skip


def _nothing(root: Path) -> None:
    pass


def _folder(name: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / name / "mine").mkdir(parents=True)
        (root / name / "mine/precious.txt").touch()

    return make


_PREDICT = ["eacnet", "predict", "image.png", "--model", MODEL]
_LONG = "x" * 300
BAD_COMMANDS: dict[str, tuple[Callable[[Path], Any], list[str]]] = {
    "output is a file": (_nothing, [*_PREDICT, "--output", "image.jpg"]),
    "output in a file": (_nothing, [*_PREDICT, "--output", "image.jpg/x"]),
    "output too long": (_nothing, [*_PREDICT, "--output", _LONG]),
    "output in /proc": (_nothing, [*_PREDICT, "--output", "/proc/x"]),
    "output with a zero": (_nothing, [*_PREDICT, "--output", "/dev/null"]),
    "a result is a folder": (_folder("predictions/image_labels.png"), _PREDICT),
    "a result is a link to a folder": (
        lambda root: (_folder("there")(root), (root / "predictions").mkdir(),
                      (root / "predictions/image.json").symlink_to("../there")), _PREDICT),
    "no input": (_nothing, ["eacnet", "predict", "none.png"]),
    "an empty name": (lambda root: None, ["eacnet", "predict", "none*.png"]),
    "a long name": (_nothing, ["eacnet", "predict", f"{_LONG}.png"]),
    "an unknown runtime": (_nothing, [*_PREDICT, "--runtime", "x"]),
    "an unknown precision": (_nothing, [*_PREDICT, "--precision", "x"]),
    "an unknown device": (_nothing, [*_PREDICT, "--device", "x"]),
    "int8 without samples": (_nothing, [*_PREDICT, "--precision", "int8"]),
    "size of nothing": (_nothing, [*_PREDICT, "--size", "0x0"]),
    "size of text": (_nothing, [*_PREDICT, "--size", "big"]),
    "a size of 10^18": (_nothing, [*_PREDICT, "--size", "1000000000x1000000000"]),
    "samples that are none": (_nothing, [*_PREDICT, "--samples", "none"]),
    "model is a folder": (_nothing, ["eacnet", "predict", "image.png", "--model", "models"]),
    "model is no text": (_nothing, ["eacnet", "predict", "image.png", "--model", "\udcff"]),
    "export to a folder": (_folder("m.onnx"), ["eacnet", "export", MODEL, "m.onnx"]),
    "export beside a folder": (_folder("m.bin"), ["eacnet", "export", MODEL, "m.xml"]),
    "export to nowhere": (_nothing, ["eacnet", "export", MODEL, "/proc/m.onnx"]),
    "export to another format": (_nothing, ["eacnet", "export", MODEL, "m.h5"]),
    "export of nothing": (_nothing, ["eacnet", "export", "none", "m.onnx"]),
    "convert to a folder": (
        _folder("m.safetensors"),
        ["eacnet", "convert", "image.png", "m.safetensors", "--mean", "1", "2", "3"],
    ),
    "convert a picture": (
        _nothing, ["eacnet", "convert", "image.png", "m.safetensors", "--mean", "1", "2", "3"]
    ),
    "convert with a mean of NaN": (
        _nothing, ["eacnet", "convert", "image.png", "m.safetensors", "--mean", "nan", "2", "3"]
    ),
    "convert with a bad table": (
        _file("classes.csv", b"\xff,\x00\n"),
        ["eacnet", "convert", "image.png", "m.safetensors", "--mean", "1", "2", "3", "--classes",
         "classes.csv"],
    ),
    "verify nothing": (_nothing, ["eacnet", "verify", "reports/none"]),
    "verify a file": (_nothing, ["eacnet", "verify", "image.png"]),
    "verify /": (_nothing, ["eacnet", "verify", "/"]),
    "verify a broken lock": (_file("dvc.lock", b"{x"), ["eacnet", "verify", "--counts-only"]),
    "an unknown run": (_nothing, ["stages.train", "--run", "x"]),
    "train where a folder is": (
        lambda root: ((root / MODEL).unlink(), _folder(MODEL)(root)), ["stages.train"]
    ),
    "prepare where a user's folder is": (_folder("data/prepared/synthetic"), ["stages.prepare"]),
    "prepare of nothing": (
        lambda root: __import__("shutil").rmtree(root / "data/raw/synthetic"), ["stages.prepare"]
    ),
    "report over a user's folder": (_folder("reports/synthetic/figures"), ["stages.report"]),
    "an unknown plan": (_nothing, ["stages.benchmark", "--plan", "x"]),
    "benchmark of nothing": (_nothing, ["stages.benchmark", "--weights", "none"]),
}  # fmt: skip


def _csv(content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / "classes.csv").write_bytes(content) and None


def _labels(change: Callable[[Path], Any]) -> Callable[[Path], None]:
    return lambda folder: change(folder / "labels/train/a.png")


_HEAD = b"id,name,red,green,blue\n"
BAD_FRAMES: dict[str, Callable[[Path], Any]] = {
    "table missing": lambda folder: (folder / "classes.csv").unlink(),
    "table empty": _csv(b""),
    "table no text": _csv(b"\xff\xfe\x00"),
    "table without rows": _csv(_HEAD),
    "table of words": _csv(_HEAD + b"a,b,c,d,e\n"),
    "table with colours beyond 255": _csv(_HEAD + b"1,road,999,0,0\n"),
    "table with an id twice": _csv(_HEAD + b"1,road,1,2,3\n1,car,1,2,4\n"),
    "table with an id of 999": _csv(_HEAD + b"999,road,1,2,3\n"),
    "table with short rows": _csv(_HEAD + b"1\n"),
    "labels missing": _labels(Path.unlink),
    "labels empty": _labels(lambda path: path.write_bytes(b"")),
    "labels in colour": _labels(lambda path: Image.new("RGB", (64, 64)).save(path)),
    "labels of another size": _labels(lambda path: Image.new("L", (32, 64)).save(path)),
    "labels with an unknown id": _labels(lambda path: Image.new("L", (64, 64), 77).save(path)),
    "labels all ignored": _labels(lambda path: Image.new("L", (64, 64), 0).save(path)),
    "image cut": lambda folder: (folder / "images/val/a.png").write_bytes(
        (folder / "images/val/a.png").read_bytes()[:99]
    ),
    "image of floats": lambda folder: Image.new("F", (64, 64)).save(
        folder / "images/val/a.png", format="TIFF"
    ),
    "a split without frames": lambda folder: (folder / "images/test/a.png").unlink(),
    "a name that is no text": lambda folder: [
        (folder / kind / "train/a.png").rename(folder / kind / "train/\udcff.png")
        for kind in ("images", "labels")
    ],
}
assert sys.getfilesystemencoding() == "utf-8"
