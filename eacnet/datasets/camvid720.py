"""CamVid as its authors ship it: 701 frames of 720x960, labels in the colours of 32 classes.

Its splits are SegNet's. The 11 classes that are trained are read in one of two ways.
"""

import re

from eacnet.datasets.camvid import LABELS as SEGNET
from eacnet.datasets.camvid import SUSPECT
from eacnet.datasets.labels import IGNORED, Label
from eacnet.datasets.record import Dataset, Reading

COLORS = {
    "Animal": (64, 128, 64),
    "Archway": (192, 0, 128),
    "Bicyclist": (0, 128, 192),
    "Bridge": (0, 128, 64),
    "Building": (128, 0, 0),
    "Car": (64, 0, 128),
    "CartLuggagePram": (64, 0, 192),
    "Child": (192, 128, 64),
    "Column_Pole": (192, 192, 128),
    "Fence": (64, 64, 128),
    "LaneMkgsDriv": (128, 0, 192),
    "LaneMkgsNonDriv": (192, 0, 64),
    "Misc_Text": (128, 128, 64),
    "MotorcycleScooter": (192, 0, 192),
    "OtherMoving": (128, 64, 64),
    "ParkingBlock": (64, 192, 128),
    "Pedestrian": (64, 64, 0),
    "Road": (128, 64, 128),
    "RoadShoulder": (128, 128, 192),
    "Sidewalk": (0, 0, 192),
    "SignSymbol": (192, 128, 128),
    "Sky": (128, 128, 128),
    "SUVPickupTruck": (64, 128, 192),
    "TrafficCone": (0, 0, 64),
    "TrafficLight": (0, 64, 64),
    "Train": (192, 64, 128),
    "Tree": (128, 128, 0),
    "Truck_Bus": (192, 128, 192),
    "Tunnel": (64, 0, 64),
    "VegetationMisc": (192, 192, 0),
    "Void": (0, 0, 0),
    "Wall": (64, 192, 0),
}

# What SegNet's protocol merges into each of its classes; the first is the one that it is named for.
MERGED = {
    "sky": ("Sky",),
    "building": ("Building", "Archway", "Bridge", "Tunnel", "Wall"),
    "pole": ("Column_Pole", "TrafficCone"),
    "road": ("Road", "LaneMkgsDriv", "LaneMkgsNonDriv"),
    "pavement": ("Sidewalk", "ParkingBlock", "RoadShoulder"),
    "tree": ("Tree", "VegetationMisc"),
    "sign": ("SignSymbol", "Misc_Text", "TrafficLight"),
    "fence": ("Fence",),
    "car": ("Car", "OtherMoving", "SUVPickupTruck", "Train", "Truck_Bus"),
    "pedestrian": ("Pedestrian", "Animal", "CartLuggagePram", "Child"),
    "bicyclist": ("Bicyclist", "MotorcycleScooter"),
}


def _table(merged: bool) -> tuple[Label, ...]:
    """Return all 32 labels; a class has the name and colour of SegNet's version."""
    classes = {}
    for label in SEGNET:
        for member in MERGED.get(label.name, ())[: None if merged else 1]:
            classes[member] = label
    rows = []
    for number, (name, color) in enumerate(COLORS.items()):
        label = classes.get(name)
        own = label.name if label and name == MERGED[label.name][0] else name
        rows.append(Label(number, label.train_id if label else IGNORED, own, "", color))
    # A class is called as its first label is.
    return tuple(sorted(rows, key=lambda row: row.name not in MERGED))


def split_of(frame: str) -> str | None:
    """Return the split that SegNet gave to a frame, by its sequence and number."""
    known = re.fullmatch(r"(0001TP|0006R0|0016E5|Seq05VD)_f?(\d+)", frame)
    if not known:
        return None
    sequence, number = known[1], int(known[2])
    if sequence == "Seq05VD" or (sequence == "0001TP" and number >= 8550):
        return "test"
    return "val" if sequence == "0016E5" and 7959 <= number <= 8159 else "train"


# The authors' two folders, or the split ones in which others pass them on.
_LABELS = r"(.+/)?(LabeledApproved_full|(train|val|test)(_labels|annot))/(?P<id>[^/]+)_L"

DATASET = Dataset(
    title="CamVid at 720x960",
    how_to_get="get its 701 frames and label images from its authors' page (University of"
    " Cambridge, Motion-based Segmentation and Recognition Dataset) and put them there as"
    " 701_StillsRaw_full/*.png and LabeledApproved_full/*_L.png",
    images=r"(.+/)?(701_StillsRaw_full|train|val|test)/(?P<id>[^/]+)",
    readings={
        "merged": Reading(
            "720x960, 31 of the 32 original labels merged into 11 classes as SegNet did, void"
            " ignored",
            _LABELS,
            _table(merged=True),
            colours=True,
        ),
        "eleven": Reading(
            "720x960, 11 of the 32 original labels, the other 21 ignored",
            _LABELS,
            _table(merged=False),
            colours=True,
        ),
    },
    others=r"[^/]+\.(txt|csv|zip)|README.*",
    split_of=split_of,
    suspect={name: f"in SegNet's version {what}" for name, what in SUSPECT.items()},
    available="partly",
    access="its authors offer it for download on their page; under which licence they give the"
    " frames is not recorded in this project",
    links={"layout": "data/raw/README.md"},
)
