import hashlib
from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import labels as OFFICIAL
from PIL import Image

from eacnet.config.params import load_params
from eacnet.datasets import find
from eacnet.datasets.cityscapes import LABELS as CITYSCAPES
from eacnet.datasets.cityscapes import instance_ids
from eacnet.datasets.labels import IGNORED, lookup
from eacnet.datasets.listing import list_frames
from eacnet.errors import InputError
from eacnet.scenes import draw_scene, write_dataset
from eacnet.scenes.canvas import Camera, Canvas
from eacnet.scenes.layout import draw_lots, draw_things
from eacnet.scenes.light import draw_grain, draw_light
from eacnet.scenes.street import draw_street
from eacnet.scenes.things import SIZES, Lot, Thing, painting_order
from eacnet.scenes.walls import Surface, wall_across, wall_along

SYNTHETIC = load_params(Path(__file__).parents[2] / "params.yaml").datasets.synthetic
TRAIN_IDS, _ = lookup(CITYSCAPES)
RED = (200, 30, 30)
GOLDEN = {
    (128, 256): "3cb4669f8ab25be1bf5bdc4d2dcd140e29f51def51e530551017aa5c0636e853",
    (100, 300): "d239e3a78a66a98455e9e3127af94a5ab76aec4561593650195bb0c1f4778a32",
}


@pytest.fixture(scope="module")
def label_maps() -> dict[str, list[np.ndarray]]:
    """Label ids of every scene of the dataset at its default size."""
    counts = SYNTHETIC.scenes.model_dump()
    return {
        split: [
            draw_scene(*SYNTHETIC.size, [SYNTHETIC.seed, number, index])[1]
            for index in range(counts[split])
        ]
        for number, split in enumerate(("train", "val", "test"))
    }


@pytest.fixture
def canvas() -> Canvas:
    random = np.random.default_rng(0)
    camera = Camera(focal=130.0, column=61.3, horizon=27.8, height=1.5)
    return Canvas(32, 64, camera, draw_light(random), draw_grain(random, 32, 64))


def pixels(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): np.asarray(Image.open(p)).tobytes() for p in files}


@pytest.mark.parametrize("size", GOLDEN)
def test_a_scene_has_the_same_pixels_everywhere(size):
    image, labels = draw_scene(*size, [2020, 0, 3])
    assert hashlib.sha256(image.tobytes() + labels.tobytes()).hexdigest() == GOLDEN[size]


def test_files_lie_as_in_cityscapes_and_hold_the_scenes(tmp_path):
    write_dataset(tmp_path, {"train": 2, "val": 1, "test": 1}, 64, 128, seed=7)
    stems = [
        f"{split}/synthetic/synthetic_{index:06d}_000000"
        for split, index in (("train", 0), ("train", 1), ("val", 0), ("test", 0))
    ]
    expected = {f"leftImg8bit/{stem}_leftImg8bit.png" for stem in stems}
    for suffix in ("labelIds", "labelTrainIds", "instanceIds", "color"):
        expected |= {f"gtFine/{stem}_gtFine_{suffix}.png" for stem in stems}
    assert set(pixels(tmp_path)) == expected

    frame = list_frames(find("synthetic"), tmp_path).frames["train"][1]
    image, labels = draw_scene(64, 128, [7, 0, 1])
    assert np.array_equal(np.asarray(Image.open(frame.image)), image)
    assert np.array_equal(np.asarray(Image.open(frame.labels)), labels)
    train_ids = frame.labels.with_name(frame.labels.name.replace("labelIds", "labelTrainIds"))
    assert np.array_equal(np.asarray(Image.open(train_ids)), TRAIN_IDS[labels])
    color = Image.open(frame.labels.with_name(frame.labels.name.replace("labelIds", "color")))
    assert color.mode == "RGBA"
    known = {label.id: (*label.color, 255) for label in OFFICIAL}
    expected = np.array([[known[value] for value in row] for row in labels.tolist()])
    assert np.array_equal(np.asarray(color), expected)


def test_instance_files_hold_what_the_original_s_do(tmp_path):
    """As the official json2instanceImg.py says: labelId * 1000 + number, or the label id alone."""
    write_dataset(tmp_path, {"train": 1}, 192, 384, seed=7)
    (path,) = tmp_path.rglob("*_instanceIds.png")
    ids = np.asarray(Image.open(path))
    labels = np.asarray(Image.open(str(path).replace("instanceIds", "labelIds")))
    assert Image.open(path).mode == "I;16"
    things = np.isin(labels, [label.id for label in OFFICIAL if label.hasInstances])
    assert np.array_equal(ids >= 1000, things)
    assert np.array_equal(np.where(things, ids // 1000, ids), labels)
    for value in np.unique(labels[things]):
        numbers = np.unique(ids[labels == value]) % 1000
        assert numbers.tolist() == list(range(len(numbers)))


def test_a_thing_is_one_instance_though_another_hides_its_middle(canvas):
    for canvas.owner, (left, right, label) in enumerate([(0, 60, 26), (20, 30, 17), (70, 90, 26)]):
        canvas.paint(canvas.outline([(left, 9), (right, 9), (right, 30), (left, 30)]), RED, label)
    ids = instance_ids(canvas.pixels[..., 3], canvas.owners)
    assert ids[20, [0, 10, 25, 40, 65, 80]].tolist() == [26000, 26000, 17, 26000, 0, 26001]


def test_a_scene_does_not_depend_on_how_many_others_there_are(tmp_path):
    write_dataset(tmp_path / "few", {"val": 1}, 64, 128, seed=7)
    write_dataset(tmp_path / "many", {"train": 1, "val": 3}, 64, 128, seed=7)
    few, many = pixels(tmp_path / "few"), pixels(tmp_path / "many")
    assert few.items() < many.items()


def test_seeds_splits_and_indices_all_change_the_scene():
    seeds = ([2020, 0, 0], [2021, 0, 0], [2020, 1, 0], [2020, 0, 1])
    scenes = [draw_scene(64, 128, seed) for seed in seeds]
    assert len({image.tobytes() for image, _ in scenes}) == len(seeds)
    assert len({labels.tobytes() for _, labels in scenes}) == len(seeds)


@pytest.mark.parametrize("size", [(64, 128), (65, 131), (64, 640), (640, 128)])
def test_any_size_can_be_drawn(size):
    image, labels = draw_scene(*size, 1)
    assert image.shape == (*size, 3)
    assert labels.shape == size
    assert image.dtype == labels.dtype == np.uint8
    # Road and houses are there whatever the size.
    assert {"road", "building"} <= {CITYSCAPES[i].name for i in np.unique(labels)}


@pytest.mark.parametrize("size", [(63, 128), (64, 127), (1025, 2048), (1024, 2049), (0, 0)])
def test_a_size_out_of_range_is_refused(size):
    with pytest.raises(InputError, match=f"{size[0]}x{size[1]}.*64x128 to 1024x2048"):
        draw_scene(*size, 1)


def test_labels_are_those_of_the_table(label_maps):
    known = {label.id for label in CITYSCAPES}
    for maps in label_maps.values():
        assert set(np.unique(maps).tolist()) <= known


def test_every_class_can_be_learnt_and_scored(label_maps):
    for split, least in (("train", 20), ("val", 5), ("test", 5)):
        scenes = [np.bincount(TRAIN_IDS[m].ravel(), minlength=256) for m in label_maps[split]]
        # A handful of pixels says little about a class.
        frames = (np.array(scenes)[:, :19] >= 20).sum(0)
        assert (frames >= least).all(), dict(enumerate(frames.tolist()))


def test_classes_are_as_unequal_as_in_streets(label_maps):
    counts = np.bincount(TRAIN_IDS[np.stack(label_maps["train"])].ravel(), minlength=256)
    shares = dict(enumerate(counts[:19] / counts[:19].sum()))
    assert set(sorted(shares, key=shares.get)[-4:]) == {0, 2, 8, 13}
    assert min(shares.values()) < 0.005
    assert counts[IGNORED] > 0


def test_label_ids_that_are_not_trained_occur(label_maps):
    ids = np.unique(np.stack(label_maps["train"]))
    ignored = {CITYSCAPES[i].name for i in ids if CITYSCAPES[i].train_id == IGNORED}
    assert {"ego vehicle", "static", "parking", "rail track", "unlabeled"} <= ignored


def test_polygons_are_filled_where_a_pixels_centre_lies_inside(canvas):
    """Against the definition: the centre is on the inner side of every edge."""
    random = np.random.default_rng(1)
    rows, cols = np.mgrid[: canvas.height, : canvas.width]
    filled = 0
    for _ in range(300):
        # Points on an ellipse, in the order of their angle, are convex.
        angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 9)))
        centre, radii = random.uniform(-40, 140, 2), random.uniform(1, 90, 2)
        points = centre + radii * np.stack([np.cos(angles), np.sin(angles)], 1)
        corners = [tuple(point) for point in np.round(points * 4).astype(int).tolist()]
        outline = [(x // 4, y // 4) for x, y in corners]
        sides = []
        for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
            sides.append((x1 - x0) * (2 * rows + 1 - 2 * y0) - (y1 - y0) * (2 * cols + 1 - 2 * x0))
        if any(_turn(outline, i) < 0 for i in range(len(outline))):
            continue
        inside, border = np.all([s > 0 for s in sides], 0), np.any([s == 0 for s in sides], 0)
        mask = np.zeros_like(inside)
        patch = canvas.outline(outline)
        if patch is not None:
            mask[patch.rows, patch.cols] = patch.mask
        assert (mask == inside)[~border].all()
        filled += mask.any()
    assert filled > 100


def _turn(outline: list[tuple[int, int]], i: int) -> int:
    (x0, y0), (x1, y1), (x2, y2) = (outline[j % len(outline)] for j in (i, i + 1, i + 2))
    return (x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1)


def test_image_and_labels_are_cut_by_the_same_edges(canvas):
    canvas.paint(canvas.outline([(3, 2), (50, 9), (31, 40)]), (200, 100, 50), 26)
    red, green, blue, label = np.moveaxis(canvas.pixels, -1, 0)
    assert set(zip(*(x.ravel().tolist() for x in (red, green, blue, label)), strict=True)) == {
        (0, 0, 0, 0),
        (200, 100, 50, 26),
    }


@pytest.mark.parametrize("wall", [wall_along(-1, -6.0, 4.0, 30.0), wall_across(-3.0, 9.0, 5.0)])
def test_patterns_on_a_wall_follow_the_perspective(canvas, wall):
    """A pixel's place on the wall, projected again, is that pixel."""
    points = wall.corners(0.0, 3.0)
    patch = canvas.patch(points, facing=True)
    surface = Surface(canvas, wall, points, patch, 11)
    rows, cols = np.nonzero(patch.mask)
    for row, col in zip(rows[::7], cols[::7], strict=True):
        along, up = float(surface.along[col]), float(surface.up[row, col])
        x, _, z = wall.corner
        x, z = x + along * wall.run[0], z + along * wall.run[1]
        assert 61.3 + 130 * x / z == pytest.approx(patch.cols.start + col + 0.5, abs=0.01)
        assert 27.8 + 130 * (1.5 - up) / z == pytest.approx(patch.rows.start + row + 0.5, abs=0.01)


def test_a_wall_is_seen_from_the_street_only(canvas):
    corners = wall_along(-1, -6.0, 4.0, 30.0).corners(0.0, 3.0)
    assert canvas.patch(corners, facing=True) is not None
    assert canvas.patch(corners[::-1], facing=True) is None


def test_what_is_nearer_than_the_camera_can_see_is_cut_off(canvas):
    """The kerbs of a slanted road that starts behind the camera stay straight."""
    road = ((-3.0, 0.0, -5.0), (-1.0, 0.0, -5.0), (21.0, 0.0, 50.0), (19.0, 0.0, 50.0))
    patch = canvas.patch(road)
    for row in (45, canvas.height - 1):
        z = 130 * 1.5 / (row + 0.5 - 27.8)
        kerbs = [61.3 + 130 * (x + 0.4 * (z + 5)) / z for x in (-3, -1)]
        cols = np.flatnonzero(patch.mask[row - patch.rows.start]) + patch.cols.start
        expected = [max(kerbs[0], 0), min(kerbs[1], canvas.width)]
        assert [cols[0], cols[-1] + 1] == pytest.approx(expected, abs=1.5)


def footprint(item: Lot | Thing) -> tuple[float, float, float, float]:
    """Left, right, near and far of what an item stands on."""
    if isinstance(item, Lot):
        return item.x - 1e-3, item.x + 1e-3, item.start, item.end
    length, width, _ = SIZES[item.draw]
    across, along = (abs(share) for share in item.place.heading)
    wide, deep = across * length + along * width, along * length + across * width
    x, z = item.place.x, item.place.z
    return x - wide / 2, x + wide / 2, z - deep / 2, z + deep / 2


def test_what_hides_something_is_painted_after_it():
    """Along rays from the camera: what a ray leaves before it enters another comes later."""
    right_order = wrong_order = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        street = draw_street(random)
        lots, things = draw_lots(random, street), draw_things(random, street)
        items = painting_order(street, lots, things)
        assert sorted(map(id, items)) == sorted(map(id, [*lots, *things]))
        left, right, near, far = np.array([footprint(item) for item in items]).T
        for slope in np.linspace(-1.2, 1.2, 100):
            # The depths between which the ray x = slope * z is inside each footprint.
            bounds = np.sort([left / slope, right / slope], axis=0)
            enters, leaves = np.maximum(bounds[0], near), np.minimum(bounds[1], far)
            hit = np.flatnonzero((enters < leaves) & (enters > 1.2))
            for place, late in enumerate(hit):
                right_order += (leaves[late] < enters[hit[:place]]).sum()
                wrong_order += (leaves[hit[:place]] < enters[late]).sum()
    # Bicycles and trees at one spot of the pavement may cut into each other.
    assert wrong_order < 0.001 * right_order
    assert right_order > 10_000
