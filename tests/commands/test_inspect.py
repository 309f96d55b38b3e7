"""`eacnet inspect` on a drawn folder of frames."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
TABLE = "id,name,red,green,blue\n0,void,0,0,0\n1,road,128,64,128\n2,car,0,0,142\n"


@pytest.fixture
def root(tmp_path):
    """Frames of 20x30 in train, of 20x30 and 40x30 in test: the left third void, then road."""
    root = tmp_path / "folder"
    random = np.random.default_rng(0)
    for split, sizes in {"train": [(20, 30)] * 3, "test": [(20, 30), (40, 30)]}.items():
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for number, size in enumerate(sizes):
            image = random.integers(200, 256, size=(*size, 3), dtype=np.uint8)
            labels = np.ones(size, np.uint8)
            labels[:, :10] = 0
            labels[:2, 20:] = 2 if number == 0 else 1
            Image.fromarray(image).save(root / "images" / split / f"{number}.png")
            Image.fromarray(labels).save(root / "labels" / split / f"{number}.png")
    (root / "classes.csv").write_text(TABLE)
    return root


@pytest.fixture
def inspect(eacnet, monkeypatch):
    """Return a function: folder, options -> how the command ended that was run beside it."""

    def run(root, *options):
        monkeypatch.chdir(root.parent)
        return subprocess.CompletedProcess(options, *eacnet("inspect", root, *options))

    return run


def test_what_is_there_is_said_in_numbers(inspect, root):
    (root / "images/train/.DS_Store").write_text("x")
    done = inspect(root)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "train 3 frames 20x30 (3)" in text
    assert "test 2 frames 20x30 (1), 40x30 (1)" in text
    # 20 of 3 * 600 pixels and one of three images; 20 of 600 + 1200 and one of two.
    assert "car class 1 1.111 % 1 1.111 % 1" in text
    assert "void ignored 33.333 % 3 33.333 % 2" in text
    assert "road class 0 65.556 % 3 65.556 % 2" in text
    assert "not taken are 1 hidden: images/train/.DS_Store" in text
    assert "Refused" not in text


def test_a_split_alone_is_trained_on_and_not_scored(inspect, root):
    for kind in ("images", "labels"):
        for path in (root / kind / "test").iterdir():
            path.unlink()
    done = inspect(root)
    assert done.returncode == 0, done.stdout + done.stderr


def test_file_names_reach_the_terminal_in_one_line(inspect, root):
    path = root / "images/train/0.png"
    path.rename(path.with_name("x\x1b[31mred\nline2.png"))
    done = inspect(root)
    assert done.returncode == 1
    refused = done.stdout.split("Refused:\n")[1].split("\n\n")[0].splitlines()
    assert any("x\\x1b[31mred\\nline2.png is an image without" in line for line in refused)
    assert all(line.startswith("- ") for line in refused)
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "text", ["train:\n  lr: 0.1\n", "a: &x 1\nb: *x\n", "model:\n datasets: 1\n"]
)
def test_another_projects_parameters_are_ignored_and_it_is_said(inspect, root, text):
    (root.parent / "params.yaml").write_text(text)
    done = inspect(root)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("params.yaml here has no key datasets, so it is another project")


def test_splits_are_those_of_this_projects_parameters(inspect, root):
    text = (ROOT / "params.yaml").read_text()
    (root.parent / "params.yaml").write_text(text)
    done = inspect(root)
    assert "has no frames in split 'val'" in done.stdout
    (root.parent / "params.yaml").write_text(text.replace("datasets:", "datasets: {", 1))
    done = inspect(root)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "params.yaml is no valid YAML" in done.stderr


def test_a_sheet_takes_no_other_files_place(inspect, root):
    sheet = root.parent / "contact_sheet.png"
    for content in (b"my own text", None):
        if content:
            sheet.write_bytes(content)
        else:
            Image.new("RGB", (3, 3)).save(sheet)
        before = sheet.read_bytes()
        done = inspect(root)
        assert done.returncode == 1
        assert "contact_sheet.png is there, and no contact sheet" in done.stderr
        assert sheet.read_bytes() == before
    sheet.unlink()
    assert [inspect(root).returncode for _ in range(2)] == [0, 0]


def test_the_sheet_shows_image_labels_and_both(inspect, root):
    inspect(root, "--frames", "1", "--sheet", "sheet.png")
    sheet = np.asarray(Image.open(root.parent / "sheet.png")).astype(int)
    row = 18 + 4 + 150  # within the first frame, below the cars
    image, labels, both = (sheet[row, 8 + column * 328 + 250] for column in range(3))
    assert image.min() >= 190
    assert labels.tolist() == [128, 64, 128]
    assert np.abs(both - (image + labels) / 2).max() <= 1
    assert sheet[row, 8 + 328 + 20].tolist() == [60, 60, 60]
    assert (sheet == (0, 0, 142)).all(-1).any()


def set_label(root, value):
    path = root / "labels/train/1.png"
    labels = np.array(Image.open(path))
    labels[3, 4:6] = value
    Image.fromarray(labels).save(path)


def ignore_all(root):
    for path in (root / "labels/test").iterdir():
        Image.fromarray(np.zeros_like(np.array(Image.open(path)))).save(path)


def name_in_latin_1(root):
    for kind in ("images", "labels"):
        path = root / kind / "test/0.png"
        path.rename(path.with_name(os.fsdecode(b"stra\xdfe.png")))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda r: set_label(r, 77), "label id 77 that the class table does not list: in 1 files"),
        (lambda r: (r / "labels/train/0.png").unlink(), "0.png is an image without a label file"),
        (lambda r: (r / "images/test/0.png").write_bytes(b"x"), "0.png can't be read as an image"),
        (
            lambda r: Image.new("RGB", (9, 9)).save(r / "images/train/2.png"),
            "2.png is 9x9, but its labels are 20x30",
        ),
        (
            lambda r: (r / "images/train/1.png").replace(r / "images/test/0.png"),
            "1.png is a label file without an image",
        ),
        (
            lambda r: Image.open(r / "images/train/1.png").save(r / "images/test/0.png"),
            "1 images are in train and in test (1 = 0)",
        ),
        (ignore_all, "every pixel of split 'test' is ignored"),
        (lambda r: os.mkfifo(r / "pipe"), "pipe is no regular file; remove it"),
        (lambda r: (r / "images/x").symlink_to("gone"), "images/x is a link that leads nowhere"),
        (lambda r: (r / ".dvcignore").touch(), ".dvcignore: DVC takes no such file in a dataset"),
        (name_in_latin_1, "has a name that is no UTF-8 or holds control characters; rename it"),
    ],
)
def test_what_prepare_would_refuse_ends_with_1(inspect, root, spoil, expected):
    spoil(root)
    done = inspect(root)
    assert done.returncode == 1
    assert expected in done.stdout.split("Refused:")[1]
    assert "can't be prepared as it is: " in done.stderr.splitlines()[-1]


def test_a_sheet_takes_the_place_of_a_link_that_leads_in_a_circle(inspect, root):
    (root.parent / "s.png").symlink_to("s.png")
    done = inspect(root, "--sheet", "s.png")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert Image.open(root.parent / "s.png").format == "PNG"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--sheet", "x.jpg"], "must end in .png"),
        (["--sheet", "folder/x.png"], "folder/x.png would lie in the dataset"),
        (["--frames", "0"], "--frames is 0"),
        (["--reading", "x"], "no reading 'x'; allowed: own"),
    ],
)
def test_a_wrong_option_gets_one_line(inspect, root, options, expected):
    done = inspect(root, *options)
    assert done.returncode == 1
    assert expected in done.stderr


def test_the_layout_is_recognised(inspect, root):
    other = root.rename(root.parent / "my frames")
    assert "a user's own frames" in inspect(other).stdout
    (other / "images").rename(other / "pictures")
    (other / "labels").rename(other / "masks")
    done = inspect(other)
    assert done.returncode == 1
    assert "the layout of no dataset that is known here" in done.stderr
