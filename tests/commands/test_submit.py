"""`eacnet submit`, checked by the official evaluation of cityscapesscripts."""

import copy
import json
import os
import re
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels as official_labels
from PIL import Image, PngImagePlugin

from eacnet.data.prepare import prepare
from eacnet.data.store import open_store
from eacnet.datasets.cityscapes import LABELS
from eacnet.datasets.labels import described
from eacnet.evaluation.evaluate import evaluate
from eacnet.evaluation.results import details
from eacnet.models import load_model, save_model
from eacnet.predict import submission
from eacnet.scenes import write_dataset

NUMBERS = [label.id for label in official_labels if 0 <= label.trainId < 255]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw")
    write_dataset(root, {"train": 1, "val": 3, "test": 2}, 96, 192, seed=7)
    for path in root.glob("gtFine/test/*/*_labelIds.png"):
        Image.fromarray(np.zeros((96, 192), np.uint8)).save(path)
    return root


@pytest.fixture
def city(tmp_path, network):
    """The file of a network whose predictions are of many classes."""
    return saved(network("dab", "pooled", 19), tmp_path / "city.safetensors", [72.0, 81.0, 70.0])


def saved(model, path, mean):
    card = {"mean": mean, "std": [1.0] * 3, "dataset": "cityscapes"}
    save_model(model, path, classes=described(LABELS), **card)
    return path


def official(pngs, raw, monkeypatch):
    """The official scores of predictions: its function, since numpy lost what its command calls."""
    if not hasattr(np, "in1d"):
        monkeypatch.setattr(np, "in1d", np.isin, raising=False)
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as package

    args = copy.copy(package.args)
    args.JSONOutput, args.quiet = False, True
    args.predictionPath, args.predictionWalk = str(pngs), None
    truth = sorted(str(path) for path in raw.glob("gtFine/val/*/*_labelIds.png"))
    found = [package.getPrediction(args, path) for path in truth]
    return package.evaluateImgLists(found, truth, args)


def test_scores_are_those_of_the_official_script_and_of_the_pipeline(
    eacnet, here, city, raw, monkeypatch
):
    options = ("--raw", raw, "--split", "val", "--output", "out/val.zip", "--score")
    code, out, err = eacnet("submit", city, *options)
    assert code == 0, err
    ours = json.loads((here / "out/val.json").read_text())
    # Its own files are replaced.
    assert eacnet("submit", city, *options)[0] == 0
    with zipfile.ZipFile("out/val.zip") as archive:
        archive.extractall("unpacked")
    theirs = official(here / "unpacked", raw, monkeypatch)
    for mine, other, mean in (
        ("class_iou", "classScores", "averageScoreClasses"),
        ("class_iiou", "classInstScores", "averageScoreInstClasses"),
        ("category_iou", "categoryScores", "averageScoreCategories"),
        ("category_iiou", "categoryInstScores", "averageScoreInstCategories"),
    ):
        assert ours[f"mean_{mine}"] == pytest.approx(100 * theirs[mean], abs=1e-4)
        defined = {k: 100 * v for k, v in theirs[other].items() if v == v}
        assert len(defined) > 1
        mine = {name: value for name, value in ours[mine].items() if value is not None}
        assert mine == pytest.approx(defined, abs=1e-4)
    assert f"{ours['mean_class_iiou']:.2f} %" in out

    prepare("cityscapes", raw, here / "store", ["train", "val"], ["train"], "val")
    split = open_store(here / "store").split("val")
    model = load_model(city)
    counts = evaluate(
        model,
        split.images,
        split.labels,
        num_classes=19,
        mean=model.card.mean,
        device="cpu",
        progress=False,
    )
    assert details(counts, described(LABELS))["miou"] == pytest.approx(
        100 * theirs["averageScoreClasses"], abs=1e-4
    )


def test_the_zip_holds_label_ids_under_the_official_names(eacnet, here, city, raw):
    code, out, err = eacnet("submit", city, "--raw", raw, "--output", "test.zip")
    assert code == 0, err
    assert "2 frames of test predicted -> test.zip" in out
    with zipfile.ZipFile("test.zip") as archive:
        names = archive.namelist()
        archive.extractall("unpacked")
    assert names == [f"synthetic_{i:06d}_000000_labelIds.png" for i in range(2)]
    seen = set()
    for name in names:
        image = Image.open(here / "unpacked" / name)
        assert (image.mode, image.size) == ("L", (192, 96))
        seen |= set(np.unique(np.asarray(image)).tolist())
    assert len(seen) > 2
    assert seen <= set(NUMBERS)


def test_the_folder_is_the_pipelines_where_none_is_named(eacnet, here, city, raw):
    params = (Path(__file__).parents[2] / "params.yaml").read_text()
    assert "\nraw: data/raw " in params
    (here / "sets").mkdir()
    (here / "sets/cityscapes").symlink_to(raw)
    code, _, err = eacnet("submit", city, "--output", "t.zip")
    assert code == 1
    assert "data/raw/cityscapes" in err
    (here / "params.yaml").write_text(params.replace("\nraw: data/raw ", "\nraw: sets "))
    assert eacnet("submit", city, "--output", "t.zip")[0] == 0


def test_only_what_it_wrote_itself_is_kept_or_replaced(eacnet, here, city, raw):
    command = ("submit", city, "--raw", raw, "--output", "t.zip")
    assert eacnet(*command)[0] == 0
    png = here / "t/synthetic_000000_000000_labelIds.png"
    whole = png.read_bytes()
    with Image.open(png) as image:
        note = PngImagePlugin.PngInfo()
        note.add_text("made from", image.info["made from"])
    Image.new("L", (5, 3), 99).save(png, pnginfo=note)
    code, out, _ = eacnet(*command)
    assert (code, png.read_bytes()) == (0, whole)
    assert "1 frames of test predicted, 1 of an earlier run" in out
    Image.new("L", (192, 96), 7).save(png)
    theirs = png.read_bytes()
    code, _, err = eacnet(*command)
    assert (code, png.read_bytes()) == (1, theirs)
    assert "_labelIds.png was not written here and would be overwritten; use --output" in err


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("mine.json", lambda path: path.write_text('{"precious": 1}')),
        ("mine.json", lambda path: path.write_text("no JSON")),
        ("mine.json", lambda path: path.write_text('["split", "frames", "mean_class_iou"]')),
        ("mine.zip", lambda path: path.write_bytes(b"no zip")),
        ("mine.zip", lambda path: zipped(path, "a_labelIds.png", "thesis.tex")),
    ],
)
def test_a_file_of_somebody_elses_is_refused_before_any_work(
    eacnet, here, city, raw, name, make, monkeypatch
):
    make(here / name)
    before = (here / name).read_bytes()
    monkeypatch.setattr(submission, "find_images", None)
    options = ("--raw", raw, "--split", "val", "--output", "mine.zip", "--score")
    code, _, err = eacnet("submit", city, *options)
    assert (code, (here / name).read_bytes()) == (1, before)
    assert err == f"error: {name} was not written here and would be overwritten; use --output\n"


def test_a_json_is_no_matter_where_no_scores_are_written(eacnet, here, city, raw):
    (here / "t.json").write_text('{"precious": 1}')
    zipped(here / "t.zip", "synthetic_000000_000000_labelIds.png")
    code, _, err = eacnet("submit", city, "--raw", raw, "--output", "t.zip")
    assert code == 0, err
    assert (here / "t.json").read_text() == '{"precious": 1}'


def test_a_place_for_the_scores_is_seen_to_before_the_work(eacnet, here, city, raw):
    (here / "v.json").mkdir()
    code, _, err = eacnet("submit", city, "--raw", raw, "--split=val", "--score", "--output=v.zip")
    assert code == 1
    assert "v.json" in err
    assert not (here / "v").exists()


def test_frames_without_labels_are_predicted(eacnet, here, city, raw):
    image = next(raw.glob("leftImg8bit/test/*/*000001_000000_*"))
    target = here / "raw/leftImg8bit/test/berlin/berlin_000001_000019_leftImg8bit.png"
    target.parent.mkdir(parents=True)
    target.write_bytes(image.read_bytes())
    code, _, err = eacnet("submit", city, "--raw", "raw", "--output", "out/x.zip")
    assert code == 0, err
    assert zipfile.ZipFile("out/x.zip").namelist() == ["berlin_000001_000019_labelIds.png"]
    target.rename(target.with_name("mine_leftImg8bit.png"))
    code, _, err = eacnet("submit", city, "--raw", "raw", "--output", "out/x.zip")
    assert (code, err.count("\n")) == (1, 1)
    assert "mine_leftImg8bit.png is not named <city>_<6 digits>_<6 digits>" in err


def test_frames_that_are_not_taken_are_named(eacnet, here, city, raw, monkeypatch):
    """Of five test frames two: the benchmark would miss three, and this reads as a success."""
    images = here / "raw/leftImg8bit"
    for folder, name, count in (("test", "png", 2), ("test", "png.part", 1), ("Test", "png", 1)):
        (images / folder / "bonn").mkdir(parents=True, exist_ok=True)
        for index in range(count):
            target = f"{folder}/bonn/bonn_00000{index}_000019_leftImg8bit.{name}"
            source = next(raw.glob("leftImg8bit/test/*/*000001_000000_*"))
            (images / target).write_bytes(source.read_bytes())
    (images / "test/bonn/bonn_000009_000019_leftImg8bit.jp2").touch()
    code, out, err = eacnet("submit", city, "--raw", "raw", "--output", "t.zip")
    assert code == 0, err
    assert "2 frames of test predicted" in out
    told = [line for line in err.splitlines() if line.startswith("raw: ")]
    assert told == [
        "raw: not taken are 1 no images by their suffix:"
        " leftImg8bit/test/bonn/bonn_000009_000019_leftImg8bit.jp2; 2 where no frames are looked"
        " for: leftImg8bit/Test/bonn/bonn_000000_000019_leftImg8bit.png,"
        " leftImg8bit/test/bonn/bonn_000000_000019_leftImg8bit.png.part",
        "raw: 2 frames in test, where the benchmark has 1,525 and scores all of them",
    ]
    monkeypatch.setattr(submission, "_TEST_FRAMES", 2)
    assert "the benchmark has" not in eacnet("submit", city, "--raw", "raw", "--output", "t.zip")[2]


def test_it_goes_on_where_it_stopped_and_a_bad_frame_ends_in_one_line(
    eacnet, here, city, raw, network
):
    images = sorted(raw.glob("leftImg8bit/val/*/*"))
    for path in images:
        (here / "raw/leftImg8bit/val/bonn").mkdir(parents=True, exist_ok=True)
        (here / "raw/leftImg8bit/val/bonn" / path.name).write_bytes(path.read_bytes())
    bad = here / "raw/leftImg8bit/val/bonn" / images[1].name
    bad.write_bytes(b"no image")
    options = ("--raw", "raw", "--split", "val", "--output", "out/val.zip")
    code, _, err = eacnet("submit", city, *options)
    assert code == 1
    last = err.splitlines()[-1]
    assert re.search(rf"error: .*{bad.name} can't be read as an image .* 2 frames are kept", last)
    assert not (here / "out/val.zip").exists()
    bad.write_bytes(images[1].read_bytes())
    code, out, err = eacnet("submit", city, *options)
    assert code == 0, err
    assert "1 frames of val predicted, 2 of an earlier run -> out/val.zip" in out
    before = {path.name: path.read_bytes() for path in (here / "out/val").iterdir()}
    # A PNG that was cut is no prediction.
    cut = next((here / "out/val").iterdir())
    cut.write_bytes(before[cut.name][: len(before[cut.name]) // 2])
    code, out, err = eacnet("submit", city, *options)
    assert code == 0, err
    assert "1 frame of val predicted, 2 of an earlier run" in out.replace("1 frames", "1 frame")
    assert cut.read_bytes() == before[cut.name]
    # Another network keeps nothing of this one's.
    other = saved(network("dab", "none", 19), here / "other.safetensors", [9.0] * 3)
    code, out, err = eacnet("submit", other, *options)
    assert code == 0, err
    assert "3 frames of val predicted ->" in out
    after = {path.name: path.read_bytes() for path in (here / "out/val").iterdir()}
    assert set(after) == set(before)
    assert all(after[name] != before[name] for name in after)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("gone"), os.mkdir])
def test_what_is_no_file_is_named_and_the_others_are_kept(eacnet, here, city, raw, make):
    folder = here / "raw/leftImg8bit/test/bonn"
    folder.mkdir(parents=True)
    for path in raw.glob("leftImg8bit/test/*/*"):
        (folder / path.name).write_bytes(path.read_bytes())
    make(folder / "bonn_000009_000009_leftImg8bit.png")
    code, _, err = eacnet("submit", city, "--raw", "raw", "--output", "out/test.zip")
    assert code == 1
    expected = "bonn_000009_000009_leftImg8bit.png: it is no regular file.* 2 frames are kept"
    assert re.search(expected, err.splitlines()[-1])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--split", "test", "--score"], "every pixel of split 'test' .*eacnet submit"),
        (["--output", "x.png"], "it must end in .zip"),
        (["--raw", "nowhere"], "no dataset at nowhere; register at cityscapes-dataset.com"),
    ],
)
def test_what_can_not_be_submitted_is_refused_in_one_line(
    eacnet, here, city, raw, options, expected
):
    code, _, err = eacnet("submit", city, "--raw", raw, *options)
    assert (code, err.count("\n")) == (1, 1)
    assert re.search(expected, err)
    assert not list(here.iterdir())


def test_a_network_of_other_classes_is_refused(eacnet, here, weights, raw):
    code, _, err = eacnet("submit", weights, "--raw", raw)
    assert code == 1
    assert "11 classes are not the 19 of Cityscapes" in err


def test_an_instance_file_that_is_missing_is_named(eacnet, here, city, raw):
    for path in raw.glob("leftImg8bit/val/*/*000000_000000*"):
        (here / "raw/leftImg8bit/val/x").mkdir(parents=True)
        (here / "raw/leftImg8bit/val/x" / path.name).write_bytes(path.read_bytes())
    for path in raw.glob("gtFine/val/*/*000000_000000*_labelIds.png"):
        (here / "raw/gtFine/val/x").mkdir(parents=True)
        (here / "raw/gtFine/val/x" / path.name).write_bytes(path.read_bytes())
    code, _, err = eacnet("submit", city, "--raw", "raw", "--split", "val", "--score")
    assert (code, err.count("\n")) == (1, 1)
    assert "000000_000000_gtFine_instanceIds.png is missing" in err


def test_predict_writes_no_train_ids_under_names_that_the_server_takes(eacnet, here, city, raw):
    folder = raw / "leftImg8bit/val/synthetic"
    code, _, err = eacnet("predict", folder, "--model", city, "--output", "out")
    assert code == 0, err
    written = [path.name for path in (here / "out").iterdir()]
    for index in range(3):
        assert not [n for n in written if fnmatch(n, f"synthetic_{index:06d}_000000*.png")]
        name = f"train-ids_synthetic_{index:06d}_000000_leftImg8bit_labels.png"
        assert name in written
        assert "train ids" in Image.open(here / "out" / name).info["ids"]
    record = json.loads((here / "out/synthetic_000000_000000_leftImg8bit.json").read_text())
    assert "train ids" in record["label_ids"]
