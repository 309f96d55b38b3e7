import argparse
import json
import os
import subprocess
import sys
import tomllib
import weakref

import av
import numpy as np
import pytest
import torch
from PIL import Image

import eacnet as package
from eacnet.commands import image_size
from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.labels import trained
from eacnet.inference import auto
from eacnet.models import load_model
from eacnet.predict.video import open_video
from eacnet.pretrained import shipped as _model


def predicted(weights, pixels):
    """The class ids of an image, straight from the network."""
    model = load_model(weights)
    with torch.inference_mode():
        image = torch.from_numpy(pixels.copy()).float() - torch.tensor(model.card.mean)
        return model(image.permute(2, 0, 1)[None]).argmax(1)[0].to(torch.uint8).numpy()


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_files_of_an_image(eacnet, here, weights, save_scene):
    pixels = save_scene(here / "photo.png")
    code, out, err = eacnet("predict", "photo.png", "--model", weights, "--side-by-side")
    assert code == 0, err
    assert f"{weights}, as asked for: erf with calibration pooled, 11 classes of camvid" in out
    folder = here / "predictions"
    assert names(folder) == {
        "photo.json",
        "photo_labels.png",
        "photo_overlay.jpg",
        "photo_side-by-side.jpg",
    }
    labels = np.array(Image.open(folder / "photo_labels.png"))
    np.testing.assert_array_equal(labels, predicted(weights, pixels))
    record = json.loads((folder / "photo.json").read_text())
    for index, (name, share) in enumerate(record["shares"].items()):
        assert name == load_model(weights).card.classes[index]["name"]
        assert share == pytest.approx(100 * (labels == index).mean(), abs=1e-4)
    assert (record["source"], record["height"], record["width"]) == ("photo.png", 48, 64)
    assert record["latency_ms"] > 0
    assert record["warm"] is False
    assert Image.open(folder / "photo_overlay.jpg").size == (64, 48)
    assert Image.open(folder / "photo_side-by-side.jpg").width == 136


@pytest.mark.parametrize(("width", "options"), [(65_504, ()), (32_760, ("--side-by-side",))])
def test_a_picture_that_no_jpeg_holds_is_refused_whole(eacnet, here, weights, width, options):
    Image.new("RGB", (width, 16)).save(here / "wide.png")
    code, _, err = eacnet("predict", "wide.png", "--model", weights, *options)
    assert code == 1
    assert "pixels, and a JPEG has at most 65500 a side" in err
    assert not names(here / "predictions")


def test_a_video_frame_by_frame(eacnet, here, weights, save_video):
    save_video(here / "clip.mp4", frames=5, rate=10)
    options = ("--model", weights, "--label-maps", "--side-by-side", "--output", "out")
    code, _, err = eacnet("predict", "clip.mp4", *options)
    assert code == 0, err
    assert names(here / "out") == {
        "clip.json",
        "clip.jsonl",
        "clip_overlay.mp4",
        "clip_side-by-side.mp4",
        *(f"clip_labels/{index:08}.png" for index in range(5)),
    }
    lines = [json.loads(line) for line in (here / "out/clip.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(5))
    assert [line["time_s"] for line in lines] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    with open_video(here / "clip.mp4") as video:
        for index, frame in enumerate(video):
            labels = np.array(Image.open(here / f"out/clip_labels/{index:08}.png"))
            np.testing.assert_array_equal(labels, predicted(weights, frame.pixels))
            assert sum(lines[index]["shares"].values()) == pytest.approx(100, abs=0.01)
    with av.open(str(here / "out/clip_overlay.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5
    record = json.loads((here / "out/clip.json").read_text())
    assert (record["frames"], record["damaged_frames"]) == (5, 0)
    means = np.mean([list(line["shares"].values()) for line in lines], 0)
    assert list(record["shares"].values()) == pytest.approx(means, abs=1e-3)


def test_a_long_video_keeps_no_more_frames_alive_than_a_short_one(
    eacnet, here, weights, save_video, monkeypatch
):
    peaks = {}

    class Watching(package.Predictor):
        """Counts how many of the images that it has seen are still alive."""

        def __call__(self, image):
            seen.append(weakref.ref(image))
            peaks[frames] = max(peaks.get(frames, 0), sum(ref() is not None for ref in seen))
            return np.zeros(image.shape[:2], np.uint8)

    monkeypatch.setattr(package, "Predictor", Watching)
    for frames in (4, 90):
        seen = []
        save_video(here / f"{frames}.mp4", frames=frames)
        code, _, err = eacnet("predict", f"{frames}.mp4", "--model", weights, "--side-by-side")
        assert code == 0, err
        assert len(seen) == frames
    assert peaks[90] == peaks[4] <= 2


def test_it_goes_on_after_a_bad_file_and_names_it(eacnet, here, weights, save_scene):
    save_scene(here / "in/a.png")
    save_scene(here / "in/c.png", 5, 5)
    save_scene(here / "in/d.png")
    (here / "in/b.png").write_bytes(b"no image")
    (here / "in/e.mp4").write_bytes(b"no video")
    code, out, err = eacnet("predict", "in", "gone.png", "--model", weights)
    assert code == 1
    assert "2 of 5 files -> predictions" in out
    *problems, last = err.splitlines()[-5:]
    assert last == "error: 4 of the inputs had a problem, named above"
    assert problems[0] == "gone.png: no such file or folder"
    assert problems[1].startswith("in/b.png can't be read as an image")
    assert problems[2].startswith("in/c.png: images of 5x5 pixels are too small")
    assert problems[3].startswith("in/e.mp4 can't be read as a video")
    assert {name for name in names(here / "predictions") if "labels" in name} == {
        "a_labels.png",
        "d_labels.png",
    }


def test_a_line_break_in_a_name_splits_no_progress_bar(eacnet, here, weights, save_video):
    save_video(here / "clip.mp4", frames=2)
    (here / "clip.mp4").rename(here / "a\x1b[1m\nclip.mp4")
    code, out, err = eacnet("predict", ".", "--model", weights)
    assert code == 0, err
    assert "a\\x1b[1m\\nclip.mp4: " in err
    assert "\x1b[1m" not in out + err


def test_size_scales_the_image_and_brings_the_labels_back(eacnet, here, weights, save_scene):
    save_scene(here / "x.png", 50, 70)
    code, _, err = eacnet("predict", "x.png", "--model", weights, "--size", "24x32")
    assert code == 0, err
    small = np.array(Image.open("x.png").resize((32, 24), Image.Resampling.BILINEAR))
    labels = np.array(Image.open("predictions/x_labels.png"))
    assert labels.shape == (50, 70)
    rows = ((np.arange(50) + 0.5) * 24 / 50).astype(int)
    columns = ((np.arange(70) + 0.5) * 32 / 70).astype(int)
    np.testing.assert_array_equal(labels, predicted(weights, small)[rows][:, columns])
    assert json.loads((here / "predictions/x.json").read_text())["predicted_at"] == [24, 32]


@pytest.mark.parametrize("size", ["24", "0x5", "ax4", "4x-4"])
def test_a_wrong_size_is_refused(eacnet, here, size):
    code, _, err = eacnet("predict", "x.png", f"--size={size}")
    assert code == 2
    assert "is not HEIGHTxWIDTH" in err


# 2 x 89 478 485 pixels are what Pillow takes.
@pytest.mark.parametrize("size", [f"{'9' * 11}x{'9' * 11}", f"{'9' * 5000}x9", "60000x60000"])
def test_a_size_beyond_that_of_any_image_is_refused(eacnet, here, size):
    wanted = f"--size={size}"
    for command in (
        ["predict", "x.png"],
        ["pick", "--fps=1"],
        ["export", "a.safetensors", "a.pt2"],
    ):
        code, _, err = eacnet(*command, wanted)
        assert code == 2
        assert "exceeds the limit of 178956970 pixels an image" in err.splitlines()[-1]


def test_the_limit_of_a_size_is_that_of_an_image():
    most = 2 * 89_478_485
    assert image_size(f"1x{most}") == (1, most)
    with pytest.raises(argparse.ArgumentTypeError):
        image_size(f"1x{most + 1}")


def test_an_input_is_never_overwritten(eacnet, here, weights, save_scene):
    save_scene(here / "x.png")
    save_scene(here / "x_labels.png")
    before = (here / "x_labels.png").read_bytes()
    code, _, err = eacnet("predict", "x.png", "x_labels.png", "--model", weights, "--output", ".")
    assert code == 1
    assert err == "error: x_labels.png is an input and would be overwritten; use --output\n"
    assert (here / "x_labels.png").read_bytes() == before


FOREIGN = ('{"version": "5.4", "shapes": [], "imagePath": "x.png"}', "[1]", "", "no JSON")


@pytest.mark.parametrize("text", FOREIGN)
@pytest.mark.parametrize("name", ["x.json", "y.json", "y.jsonl"])
def test_another_programs_file_is_never_overwritten(
    eacnet, here, weights, save_scene, save_video, name, text
):
    save_scene(here / "x.png")
    save_video(here / "y.mp4")
    (here / name).write_text(text)
    before = names(here)
    command = ("predict", "x.png", "y.mp4", "--model", weights, "--output", ".")
    code, _, err = eacnet(*command)
    assert (code, names(here)) == (1, before)
    assert err == (
        f"error: {name} is no result of eacnet's and would be overwritten; use --output\n"
    )
    assert (here / name).read_text() == text
    (here / name).unlink()
    for _ in range(2):  # its own are replaced
        assert eacnet(*command)[0] == 0


@pytest.mark.parametrize(
    "name", ["x_labels.png", "x_overlay.jpg", "x_side-by-side.jpg", "y_overlay.mp4"]
)
def test_a_picture_of_the_users_own_is_never_overwritten(
    eacnet, here, weights, save_scene, save_video, name
):
    save_scene(here / "x.png")
    save_video(here / "y.mp4")
    inputs = ("predict", "x.png", "y.mp4", "--model", weights, "--side-by-side", "--output")
    assert eacnet(*inputs, "new")[0] == 0
    (save_video if name.endswith("mp4") else save_scene)(here / name)
    before = names(here), (here / name).read_bytes()
    code, _, err = eacnet(*inputs, ".")
    assert (code, (names(here), (here / name).read_bytes())) == (1, before)
    assert err == (
        f"error: {name} is no result of eacnet's and would be overwritten; use --output\n"
    )
    for _ in range(2):  # its own are replaced
        assert eacnet(*inputs, "new")[0] == 0


@pytest.mark.parametrize("name", ["00000007.png", "00000000.png", "notes.txt"])
def test_labels_of_the_users_own_are_never_deleted(eacnet, here, weights, save_video, name):
    save_video(here / "y.mp4")
    command = ("predict", "y.mp4", "--model", weights, "--output", ".")
    for _ in range(2):  # its own are replaced
        assert eacnet(*command, "--label-maps")[0] == 0
    (here / "y_labels" / name).write_text("mine")
    before = names(here)
    code, _, err = eacnet(*command, "--label-maps")
    assert (code, names(here)) == (1, before)
    assert "y_labels holds other files than eacnet's label maps and would be over" in err
    assert (here / "y_labels" / name).read_text() == "mine"
    assert eacnet(*command)[0] == 0  # it writes none


def test_results_in_the_folder_of_the_inputs_are_no_inputs(
    eacnet, here, weights, save_scene, save_video
):
    (here / "q").mkdir()
    save_scene(here / "q/a.png")
    save_video(here / "q/b.mp4")
    options = ("--model", weights, "--output", "q", "--label-maps", "--side-by-side")
    for inputs in ("q", "q", "q/*"):
        code, out, err = eacnet("predict", inputs, *options)
        assert (code, "error" in err) == (0, False)
        assert "2 of 2 files" in out


def test_pictures_of_earlier_versions_are_replaced(eacnet, here, weights, save_scene):
    save_scene(here / "x.png")
    options = ("predict", "x.png", "--model", weights, "--output", "out")
    assert eacnet(*options)[0] == 0
    Image.open(here / "out/x_overlay.jpg").save(here / "out/x_overlay.jpg")  # without a mark
    assert eacnet(*options)[0] == 0
    assert Image.open(here / "out/x_overlay.jpg").info["comment"] == b"eacnet predict"


def test_an_empty_argument_is_not_the_folder_one_is_in(eacnet, here, weights, save_scene):
    save_scene(here / "a.png")
    code, _, err = eacnet("predict", "", "--model", weights)
    assert (code, err) == (1, "error: an empty argument names no file\n")


# Runs the command in this process and stops it at its twentieth image or frame.
INTERRUPTED = """
import os, signal
import numpy as np
import eacnet
from eacnet import cli

calls = []

class Interrupted(eacnet.Predictor):
    def __call__(self, image):
        calls.append(1)
        if len(calls) == 20:
            os.kill(os.getpid(), signal.SIGTERM)
        return np.zeros(image.shape[:2], np.uint8)

eacnet.Predictor = Interrupted
cli.main()
"""


def test_nothing_half_written_is_left_of_an_interrupted_run(here, weights, save_video, save_scene):
    save_scene(here / "a.png")
    save_video(here / "b.mp4", frames=40)
    options = ("--model", weights, "--side-by-side", "--label-maps")
    command = [sys.executable, "-c", INTERRUPTED, "predict", "a.png", "b.mp4", *options]
    env = {**os.environ, "PYTHONPATH": str(package_root())}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: interrupted")
    assert names(here / "predictions") == {
        "a.json",
        "a_labels.png",
        "a_overlay.jpg",
        "a_side-by-side.jpg",
    }


class TestSamples:
    @pytest.fixture
    def given(self, monkeypatch):
        """What Predictor is given; int8 is taken as eager's."""
        given = []

        class Recorded(package.Predictor):
            def __init__(self, model, *, precision, **options):
                given.append((precision, options.pop("samples")))
                super().__init__(model, **options)

        monkeypatch.setattr(package, "Predictor", Recorded)
        return given

    def test_at_most_sixteen_spread_over_a_folder_and_scaled_like_the_inputs(
        self, eacnet, here, weights, save_scene, given
    ):
        scenes = [save_scene(here / f"like/{index:02}.png", seed=index) for index in range(31)]
        save_scene(here / "x.png")
        for name in ("30.heic", "clip.mp4"):
            (here / "like" / name).touch()
        options = ("--model", weights, "--precision", "int8", "--size", "24x32")
        code, _, err = eacnet("predict", "x.png", *options, "--samples", "like")
        assert code == 0, err
        ((precision, samples),) = given
        assert precision == "int8"
        expected = [Image.fromarray(scene).resize((32, 24), 2) for scene in scenes[::2]]
        np.testing.assert_array_equal(samples, np.stack(expected))
        assert json.loads((here / "predictions/x.json").read_text())["samples"] == 16
        told = "--samples: not taken are 2 files by their suffix: like/30.heic, like/clip.mp4\n"
        assert told in err

    def test_int8_without_samples_is_one_line(self, eacnet, here, weights, save_scene):
        save_scene(here / "x.png")
        code, _, err = eacnet("predict", "x.png", "--model", weights, "--precision", "int8")
        assert code == 1
        assert err.startswith("error: --precision int8 takes its ranges from images like the inp")
        assert "--samples" in err
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize(
        ("sample", "message"),
        [("gone", "gone: no such file or folder"), ("a.mp4", "videos, where images are needed")],
    )
    def test_samples_that_are_no_images(self, eacnet, here, weights, save_scene, sample, message):
        save_scene(here / "x.png")
        (here / "a.mp4").touch()
        code, _, err = eacnet("predict", "x.png", "--model", weights, "--samples", sample)
        assert (code, err) == (1, f"error: --samples {message}\n")

    def test_auto_tells_what_it_picked(self, eacnet, here, weights, save_scene, monkeypatch):
        monkeypatch.setattr(auto, "runtimes", lambda: ("eager",))
        save_scene(here / "x.png")
        command = ("predict", "x.png", "--model", weights, "--runtime", "auto", "--samples")
        code, out, err = eacnet(*command, "x.png")
        assert code == 0, err
        assert "auto picked eager fp32 of eager fp32: " in out
        assert ", 100.000 % same labels\n" in out


class TestWhichModel:
    @pytest.fixture
    def shipped(self, tmp_path, monkeypatch):
        path = tmp_path / "site-packages/weights/camvid.safetensors"
        monkeypatch.setattr(_model, "SHIPPED", path)
        return path

    def test_the_pipelines_own_comes_first(self, here, shipped):
        for path in (shipped, here / "models/camvid_cpu/main.safetensors"):
            path.parent.mkdir(parents=True)
            path.touch()
        params = (package_root() / "params.yaml").read_text()
        params = params.replace("dataset: synthetic ", "dataset: camvid ")
        params = params.replace("variant: '' ", "variant: _cpu ")
        (here / "params.yaml").write_text(params)
        path, why = _model.choose_model(None)
        assert path.as_posix() == "models/camvid_cpu/main.safetensors"
        assert why == "the pipeline's main network"

    def test_then_the_one_that_ships(self, here, shipped):
        shipped.parent.mkdir(parents=True)
        shipped.touch()
        path, why = _model.choose_model(None)
        assert path == shipped
        assert why.startswith("the network that ships with eacnet, since this folder holds no")
        (here / "params.yaml").write_text("learning_rate: 0.1")
        assert "is not usable (params.yaml: " in _model.choose_model(None)[1]

    def test_otherwise_one_line_says_what_to_do(self, eacnet, here, shipped, save_scene):
        save_scene(here / "x.png")
        code, _, err = eacnet("predict", "x.png")
        assert code == 1
        assert err.startswith("error: no trained network: this folder holds no pipeline")
        assert "--model" in err
        assert len(err.splitlines()) == 1
        assert not (here / "predictions").exists()

    def test_one_that_is_not_there(self, eacnet, here, save_scene):
        save_scene(here / "x.png")
        code, _, err = eacnet("predict", "x.png", "--model", "gone.safetensors")
        assert (code, err) == (1, "error: --model gone.safetensors: there is no such file\n")


def test_the_network_that_ships_is_whole_and_is_installed():
    project = tomllib.loads((package_root() / "pyproject.toml").read_text())
    assert "weights/*" in project["tool"]["setuptools"]["package-data"]["eacnet"]
    if not _model.SHIPPED.is_file():
        pytest.skip("no trained network is in the repository yet")
    card = load_model(_model.SHIPPED).card
    assert [entry["name"] for entry in card.classes] == [x.name for x in trained(CAMVID)]
    assert (_model.SHIPPED.parent / "README.md").is_file()


def package_root():
    return _model.Path(package.__file__).parents[1]
