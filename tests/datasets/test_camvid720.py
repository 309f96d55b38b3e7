"""CamVid at 720x960 on drawn frames; names and colours are those of its authors' table."""

import numpy as np
import pytest
from PIL import Image

from eacnet.data.prepare import prepare
from eacnet.data.store import open_store
from eacnet.datasets import find
from eacnet.datasets.camvid720 import COLORS, MERGED, split_of
from eacnet.errors import InputError

# The authors' list as it is shipped with the labels: R G B name.
OFFICIAL = """
64 128 64 Animal
192 0 128 Archway
0 128 192 Bicyclist
0 128 64 Bridge
128 0 0 Building
64 0 128 Car
64 0 192 CartLuggagePram
192 128 64 Child
192 192 128 Column_Pole
64 64 128 Fence
128 0 192 LaneMkgsDriv
192 0 64 LaneMkgsNonDriv
128 128 64 Misc_Text
192 0 192 MotorcycleScooter
128 64 64 OtherMoving
64 192 128 ParkingBlock
64 64 0 Pedestrian
128 64 128 Road
128 128 192 RoadShoulder
0 0 192 Sidewalk
192 128 128 SignSymbol
128 128 128 Sky
64 128 192 SUVPickupTruck
0 0 64 TrafficCone
0 64 64 TrafficLight
192 64 128 Train
128 128 0 Tree
192 128 192 Truck_Bus
64 0 64 Tunnel
192 192 0 VegetationMisc
0 0 0 Void
64 192 0 Wall
"""
FRAMES = ("0001TP_006690", "0016E5_07959", "Seq05VD_f02610")


@pytest.fixture
def root(tmp_path):
    """One frame of each split; its label image shows every colour of the table."""
    root = tmp_path / "camvid720"
    (root / "701_StillsRaw_full").mkdir(parents=True)
    (root / "LabeledApproved_full").mkdir()
    colours = np.array(list(COLORS.values()), np.uint8).reshape(4, 8, 3)
    for number, name in enumerate(FRAMES):
        image = np.full((4, 8, 3), number, np.uint8)
        Image.fromarray(image).save(root / "701_StillsRaw_full" / f"{name}.png")
        Image.fromarray(colours).save(root / "LabeledApproved_full" / f"{name}_L.png")
    return root


def test_names_and_colours_are_the_official_ones():
    rows = [line.split() for line in OFFICIAL.strip().splitlines()]
    assert {name: tuple(map(int, color)) for *color, name in rows} == COLORS


def test_segnet_merges_31_labels_into_11():
    members = [name for names in MERGED.values() for name in names]
    assert sorted([*members, "Void"]) == sorted(COLORS)
    assert find("camvid720").classes == find("camvid").classes


@pytest.mark.parametrize("reading", ["merged", "eleven", None])
def test_colours_become_the_classes_of_each_reading(root, tmp_path, reading):
    splits = ["train", "val", "test"]
    prepare("camvid720", root, tmp_path / "store", splits, ["train"], "test", reading)
    store = open_store(tmp_path / "store")
    names = [entry["name"] for entry in store.info["classes"]]
    found = dict(zip(COLORS, store.split("test").labels[0].ravel(), strict=True))
    for name, members in MERGED.items():
        for number, member in enumerate(members):
            scored = reading != "eleven" or number == 0
            assert found.pop(member) == (names.index(name) if scored else 255)
    assert found == {"Void": 255}
    assert ("the other 21 ignored" in store.info["protocol"]) == (reading == "eleven")
    assert [store.split(split).ids for split in splits] == [[name] for name in FRAMES]


def test_an_unknown_reading_names_the_known_ones(root, tmp_path):
    with pytest.raises(InputError, match="no reading 'x'; allowed: merged, eleven"):
        prepare("camvid720", root, tmp_path / "store", ["train"], ["train"], reading="x")


def test_a_colour_that_is_none_of_the_32_is_named(root, tmp_path):
    path = root / "LabeledApproved_full" / f"{FRAMES[0]}_L.png"
    colours = np.array(Image.open(path))
    colours[1, 2] = (64, 128, 65)
    Image.fromarray(colours).save(path)
    with pytest.raises(InputError, match=r"the colour \[64, 128, 65\] at row 1, column 2"):
        prepare("camvid720", root, tmp_path / "store", ["train"], ["train"])


@pytest.mark.parametrize(
    ("frame", "split"),
    [
        ("0001TP_006690", "train"),
        ("0001TP_008520", "train"),
        ("0001TP_008550", "test"),
        ("0001TP_010380", "test"),
        ("0006R0_f00930", "train"),
        ("0016E5_00390", "train"),
        ("0016E5_07920", "train"),
        ("0016E5_07959", "val"),
        ("0016E5_08159", "val"),
        ("0016E5_08190", "train"),
        ("Seq05VD_f00000", "test"),
        ("Seq05VD_f05100", "test"),
        ("mine_0001", None),
    ],
)
def test_splits_are_segnets(frame, split):
    assert split_of(frame) == split


def test_what_is_missing_says_how_to_get_it(tmp_path):
    with pytest.raises(InputError, match=r"no dataset at .*701_StillsRaw_full"):
        prepare("camvid720", tmp_path / "none", tmp_path / "store", ["train"], ["train"])
