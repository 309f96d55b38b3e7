"""Cityscapes (Cordts et al., CVPR 2016): 34 label ids as published, 19 of them trained."""

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

# The official layout, complete or some cities of it, also one folder deeper.
IMAGES = r"(.+/)?leftImg8bit/(?P<split>train|val|test)/([^/]+/)*(?P<id>[^/]+)_leftImg8bit"
FINE = r"(.+/)?gtFine/(?P<split>train|val|test)/([^/]+/)*(?P<id>[^/]+)_gtFine_labelIds"

DATASET = Dataset(
    title="Cityscapes",
    how_to_get="register at cityscapes-dataset.com, then see data/raw/cityscapes/README.md",
    images=IMAGES,
    readings={"fine": Reading("fine annotations, label ids -> 19 train ids", FINE, LABELS)},
    others=r"(.+/)?gtFine/.*_(color|instanceIds|labelTrainIds|instanceTrainIds|polygons)\.\w+"
    r"|(.+/)?(README.*|license\.txt|[^/]+\.zip)",
    available="partly",
    access="its owners give it to registered users only, so it cannot be linked; the two commands"
    " that fetch it are here",
    licence="its owners' terms: research and teaching, not to be passed on",
    links={"how to get it": "data/raw/cityscapes/README.md"},
    recipes={"": "EACNet's published recipe (a)", "_adam": "EACNet's published recipe (b)"},
)
