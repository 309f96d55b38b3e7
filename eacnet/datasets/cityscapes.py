"""Cityscapes (Cordts et al., CVPR 2016): 34 label ids as published, 19 of them trained."""

import numpy as np

from eacnet.datasets.labels import Label
from eacnet.datasets.record import Dataset, Reading

LABELS = (
    Label(0, 255, "unlabeled", "void", (0, 0, 0)),
    Label(1, 255, "ego vehicle", "void", (0, 0, 0)),
    Label(2, 255, "rectification border", "void", (0, 0, 0)),
    Label(3, 255, "out of roi", "void", (0, 0, 0)),
    Label(4, 255, "static", "void", (0, 0, 0)),
    Label(5, 255, "dynamic", "void", (111, 74, 0)),
    Label(6, 255, "ground", "void", (81, 0, 81)),
    Label(7, 0, "road", "flat", (128, 64, 128)),
    Label(8, 1, "sidewalk", "flat", (244, 35, 232)),
    Label(9, 255, "parking", "flat", (250, 170, 160)),
    Label(10, 255, "rail track", "flat", (230, 150, 140)),
    Label(11, 2, "building", "construction", (70, 70, 70)),
    Label(12, 3, "wall", "construction", (102, 102, 156)),
    Label(13, 4, "fence", "construction", (190, 153, 153)),
    Label(14, 255, "guard rail", "construction", (180, 165, 180)),
    Label(15, 255, "bridge", "construction", (150, 100, 100)),
    Label(16, 255, "tunnel", "construction", (150, 120, 90)),
    Label(17, 5, "pole", "object", (153, 153, 153)),
    Label(18, 255, "polegroup", "object", (153, 153, 153)),
    Label(19, 6, "traffic light", "object", (250, 170, 30)),
    Label(20, 7, "traffic sign", "object", (220, 220, 0)),
    Label(21, 8, "vegetation", "nature", (107, 142, 35)),
    Label(22, 9, "terrain", "nature", (152, 251, 152)),
    Label(23, 10, "sky", "sky", (70, 130, 180)),
    Label(24, 11, "person", "human", (220, 20, 60)),
    Label(25, 12, "rider", "human", (255, 0, 0)),
    Label(26, 13, "car", "vehicle", (0, 0, 142)),
    Label(27, 14, "truck", "vehicle", (0, 0, 70)),
    Label(28, 15, "bus", "vehicle", (0, 60, 100)),
    Label(29, 255, "caravan", "vehicle", (0, 0, 90)),
    Label(30, 255, "trailer", "vehicle", (0, 0, 110)),
    Label(31, 16, "train", "vehicle", (0, 80, 100)),
    Label(32, 17, "motorcycle", "vehicle", (0, 0, 230)),
    Label(33, 18, "bicycle", "vehicle", (119, 11, 32)),
)

# Classes whose instances are told apart, with an instance's mean size in pixels at 1024x2048: what
# the official evaluation weighs instances by (args.avgClassSize of its script).
INSTANCE_SIZES = {
    "person": 3462.4756337644,
    "rider": 3930.4788056518,
    "car": 12794.0202738185,
    "truck": 27855.1264367816,
    "bus": 35732.1511111111,
    "caravan": 36771.8241758242,
    "trailer": 16926.9763313609,
    "train": 67583.7075812274,
    "motorcycle": 6298.7200839748,
    "bicycle": 4672.3249222261,
}
# An instance file holds INSTANCES * label id + the instance's number, or the label id alone.
INSTANCES = 1000

# The official layout, complete or some cities of it, also one folder deeper.
_BELOW = r"(?P<split>train|train_extra|val|test)/([^/]+/)*(?P<id>[^/]+)"
IMAGES = rf"(.+/)?leftImg8bit/{_BELOW}_leftImg8bit"
FINE = rf"(.+/)?gtFine/{_BELOW}_gtFine_labelIds"
# Of the frames that have both, the fine annotation is read.
COARSE = (
    r"(.+/)?(?P<set>gtFine|gtCoarse)/"
    r"(?P<split>(?<=gtFine/)(?:train|val|test)|(?<=gtCoarse/)train_extra)/"
    r"([^/]+/)*(?P<id>[^/]+)_(?P=set)_labelIds"
)
# How the benchmark's server finds the prediction of a frame: <city>_<sequence>_<frame>*.png
OFFICIAL_NAME = r"[^_/]+_\d{6}_\d{6}"


def instance_ids(labels: np.ndarray, things: np.ndarray) -> np.ndarray:
    """Return the pixels of an instance file, uint16 (H,W).

    Args:
        labels: label ids, uint8 (H,W).
        things: a number of each thing, the same wherever it is seen, (H,W).
    """
    ids = labels.astype(np.uint16)
    for label in LABELS:
        if label.name in INSTANCE_SIZES:
            there = labels == label.id
            number = np.unique(things[there], return_inverse=True)[1]
            ids[there] = INSTANCES * label.id + number
    return ids


DATASET = Dataset(
    title="Cityscapes",
    how_to_get="register at cityscapes-dataset.com, then see data/raw/README.md",
    images=IMAGES,
    readings={
        "fine": Reading(
            "fine annotations, label ids -> 19 train ids",
            FINE,
            LABELS,
            called="..._gtFine_labelIds.png",
        ),
        "coarse": Reading(
            "fine annotations, coarse ones of train_extra, label ids -> 19 train ids",
            COARSE,
            LABELS,
            called="..._gtFine_labelIds.png or, in train_extra, ..._gtCoarse_labelIds.png",
        ),
    },
    others=r"(.+/)?gt(Fine|Coarse)/.*"
    r"_(color|instanceIds|labelTrainIds|instanceTrainIds|polygons)\.\w+"
    r"|(.+/)?(README.*|license\.txt|[^/]+\.zip)",
    withheld={
        "test": "its labels are the benchmark's secret, the files are dummies: it can be predicted,"
        " not scored; `eacnet submit MODEL --split test` writes what the benchmark takes"
    },
    available="partly",
    access="its owners give it to registered users only, so it cannot be linked; the two commands"
    " that fetch it are here",
    licence="its owners' terms: research and teaching, not to be passed on",
    links={"how to get it": "data/raw/README.md"},
    recipes={"": "EACNet's published recipe (a)", "_adam": "EACNet's published recipe (b)"},
)
