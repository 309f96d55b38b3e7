import base64
import copy
import re
import zlib
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from experiment import DATA
from PIL import Image

from eacnet.report.figures import FIGURES
from eacnet.report.figures.examples import Example
from eacnet.report.pages.html import html, view

NASTY = "<b>&\"'</script>"


class Reader(HTMLParser):
    """The tags of a page with their attributes, and its texts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data.strip())


def example(title="a frame", shape=(24, 32), calibrated=True):
    random = np.random.default_rng(0)
    image = random.integers(256, size=(*shape, 3), dtype=np.uint8)
    truth, coarse, prediction = random.integers(3, size=(3, *shape), dtype=np.uint8)
    return Example(title, image, truth, prediction, coarse if calibrated else None)


def made(results, examples=(), files=None):
    files = files or {}
    stems = {name.partition(".")[0] for name in files}
    drawn = [one for one in FIGURES if one.name in stems]
    return html(results, examples, drawn, files)


def test_what_a_user_names_stays_text(results, evaluation):
    scored = copy.deepcopy(evaluation(True))
    for scores in (scored, scored["coarse"]):
        scores["class_iou"] = {NASTY: 1.0, **scores["class_iou"]}
    scored["class_boundary_f1"][NASTY] = None
    scored["confusion"] = [[1] * 4] * 4
    scored["provenance"]["device"] = NASTY
    classes = [{**DATA["classes"][0], "name": NASTY}, *DATA["classes"][1:]]
    shown = results(main__evaluation=scored, data={**DATA, "classes": classes, "protocol": NASTY})
    page = made(shown, [example(NASTY)])
    reader = Reader(page)
    # Legend, table of classes, heading of the frame, provenance: each as text.
    assert reader.texts.count(NASTY) >= 4
    assert page.count("<script>") == page.count("</script>") == 1
    assert page.count("<style>") == 1
    assert NASTY not in page


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_page_needs_nothing_from_outside(results, calibrated):
    page = made(results(calibrated), [example(calibrated=calibrated)], {"training.png": b"\x89PNG"})
    reader = Reader(page)
    for _, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert attributes.get("src", "data:").startswith("data:")
        assert re.match(r"#|data:|tables/|figures/", attributes.get("href", "#"))
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert ("coarse" in [a.get("value") for tag, a in reader.tags if tag == "option"]) == calibrated


def test_the_policy_names_the_hash_of_what_stands_in_the_page(results):
    from hashlib import sha256

    page = made(results())
    policy = next(a["content"] for tag, a in Reader(page).tags if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        text = re.search(f"<{tag}>(.*)</{tag}>", page, re.DOTALL)[1]
        expected = base64.b64encode(sha256(text.encode()).digest()).decode()
        assert f"{name} 'sha256-{expected}'" in policy


def test_a_frame_is_embedded_as_it_is():
    shown = example(shape=(24, 32))
    frame = view(shown)
    assert (frame.height, frame.width) == (24, 32)
    for name, ids in (("truth", shown.truth), ("coarse", shown.coarse)):
        assert zlib.decompress(base64.b64decode(frame.maps[name])) == ids.tobytes()
    photo = Image.open(BytesIO(base64.b64decode(frame.photo.partition(",")[2])))
    assert photo.size == (32, 24)
    assert "coarse" not in view(example(calibrated=False)).maps


def test_large_frames_are_shown_smaller_so_that_the_page_stays_below_ten_megabytes():
    large = example(shape=(1024, 2048))  # noise: the worst case for every compression
    frame = view(large)
    assert (frame.height, frame.width) == (512, 1024)
    ids = np.frombuffer(zlib.decompress(base64.b64decode(frame.maps["truth"])), np.uint8)
    np.testing.assert_array_equal(ids.reshape(512, 1024), large.truth[::2, ::2])
    assert 6 * (len(frame.photo) + sum(map(len, frame.maps.values()))) < 8e6


def test_figures_stand_in_the_page_once_each(results):
    png = BytesIO()
    Image.fromarray(example(shape=(600, 600)).image).save(png, "PNG")
    figures = {"examples.png": b"x", "training.svg": b"<svg/>", "training.png": b"y"}
    pattern = r'class="plot"><img src="data:([^;]*);'
    assert re.findall(pattern, made(results(), (), figures)) == ["image/svg+xml"]
    # A large picture is embedded as WebP.
    figures = {"training.png": png.getvalue()}
    assert re.findall(pattern, made(results(), (), figures)) == ["image/webp"]
    assert re.findall(pattern, made(results(), (), {"training.png": b"y"})) == ["image/png"]


def test_the_same_results_give_the_same_bytes(results):
    assert made(results(), [example()]) == made(results(), [example()])


def test_nothing_measured_is_said_so(results):
    page = made(results(speed=[]))
    assert "No machine has been timed yet" in page
    assert "None" not in Reader(page).texts
    assert 'id="examples"' not in page
