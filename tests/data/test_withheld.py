"""Cityscapes' test split, whose label files are dummies."""

import numpy as np
import pytest
from PIL import Image

from eacnet import cli
from eacnet.data.prepare import prepare
from eacnet.errors import InputError
from eacnet.scenes import write_dataset


@pytest.fixture
def cityscapes(tmp_path):
    root = tmp_path / "raw"
    write_dataset(root, {"train": 1, "val": 1, "test": 2}, 64, 128, seed=7)
    for path in root.glob("gtFine/test/*/*_labelIds.png"):
        dummy = np.zeros((64, 128), np.uint8)
        dummy[60:] = 1
        Image.fromarray(dummy).save(path)
    return root


def test_it_can_not_be_scored_and_the_line_says_what_can_be_done(cityscapes, tmp_path):
    splits = ["train", "test"]
    with pytest.raises(InputError, match=r"'test' .* is ignored; .*`eacnet submit") as error:
        prepare("cityscapes", cityscapes, tmp_path / "store", splits, ["train"], "test")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "store").exists()
    # It is found out before hours of decoding, and disturbs nobody who leaves it alone.
    prepare("cityscapes", cityscapes, tmp_path / "store", ["train", "val"], ["train"], "val")


def test_inspect_takes_no_offence_at_what_nobody_would_prepare(cityscapes, tmp_path, monkeypatch):
    extra = cityscapes / "leftImg8bit/train_extra/x/x_000000_000000_leftImg8bit.png"
    extra.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((64, 128, 3), np.uint8)).save(extra)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["eacnet", "inspect", "raw", "--dataset", "cityscapes"])
    cli.main()
