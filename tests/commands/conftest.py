"""What the tests of the commands share: tiny networks, images and videos, all drawn on the spot."""

import sys

import av
import numpy as np
import pytest
import torch
from PIL import Image

from eacnet import cli
from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.labels import trained
from eacnet.models import build_model, save_model

CLASSES = [{"name": x.name, "category": "", "color": list(x.color)} for x in trained(CAMVID)]
MEAN = [100.0, 110.0, 120.0]


@pytest.fixture
def weights(tmp_path):
    """The file of a network with random weights."""
    torch.manual_seed(0)
    path = tmp_path / "weights" / "net.safetensors"
    model = build_model("erf", len(CLASSES), "pooled")
    save_model(model, path, classes=CLASSES, mean=MEAN, std=[1.0] * 3, dataset="camvid")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder that the command runs in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def eacnet(monkeypatch, capsys):
    """Return a function that runs `eacnet ...` and returns exit code, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["eacnet", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        if isinstance(code, str):
            code, err = 1, f"{err}{code}\n"
        return code, out, err

    return run


@pytest.fixture
def save_scene():
    """Return a function that writes an image of random 8x8 blocks and returns its pixels."""

    def save(path, height=48, width=64, seed=0):
        random = np.random.default_rng(seed)
        blocks = random.integers(256, size=(-(-height // 8), -(-width // 8), 3), dtype=np.uint8)
        pixels = blocks.repeat(8, 0).repeat(8, 1)[:height, :width]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return pixels

    return save


@pytest.fixture
def save_video():
    """Return a function that writes a video of grey frames, white in their upper left corner."""

    def save(path, frames=6, size=(48, 64), rate=10):
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=rate)
            stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
            for index in range(frames):
                pixels = np.full((*size, 3), 20 + 6 * index % 200, np.uint8)
                pixels[: size[0] // 3, : size[1] // 3] = 255
                picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode())

    return save
