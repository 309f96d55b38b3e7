"""`eacnet convert` as it is typed, on checkpoints with the published names."""

import json

import pytest
import torch

from eacnet import build_model, load_model
from eacnet.datasets.camvid import LABELS as CAMVID
from eacnet.datasets.cityscapes import LABELS as CITYSCAPES
from eacnet.datasets.labels import described
from eacnet.evaluation.evaluate import evaluate
from eacnet.pretrained.names import RESNET18, renamed

MEAN = ["--mean", "73.2", "82.9", "72.4"]


@pytest.fixture
def convert(eacnet):
    """Return a function: arguments of the command -> (exit code, its lines)."""

    def typed(*arguments: object) -> tuple[int, list[str]]:
        code, out, err = eacnet("convert", *arguments)
        assert not (code and out)
        return code, (err if code else out).splitlines()

    return typed


@pytest.fixture
def checkpoint(tmp_path):
    """Return (path of a .pth file, what it holds): a narrowed ResNet-18 by its published names."""
    torch.manual_seed(0)
    state = build_model("resnet18", 11, "none").state_dict()
    names = ((r"^classifier\.", "classify."), *RESNET18)
    state = {renamed(name, names): value for name, value in state.items()}
    torch.save({"epoch": 9, "model": state}, tmp_path / "authors.pth")
    return tmp_path / "authors.pth", state


@pytest.mark.parametrize(
    ("name", "wrap", "arguments", "recognised"),
    [
        ("dab-pooled", lambda s: s, [], "dab, calibration pooled, 19 classes of cityscapes, 757,7"),
        ("dab-full", lambda s: {"epoch": 1, "model": s}, [], "dab, calibration full"),
        ("erf-none", lambda s: {"state_dict": s}, [], "erf, calibration none"),
        ("erf-full", lambda s: s, ["--calibration", "full"], "erf, calibration full"),
        (
            "enet-pooled",
            lambda s: {"module." + name: value for name, value in s.items()},
            ["--dataset", "cityscapes"],
            "enet, calibration pooled",
        ),
        ("resnet18-none", lambda s: s, [], "resnet18, calibration none"),
        ("erfnet-decoder", lambda s: s, [], "erfnet, calibration none"),
    ],
)
def test_a_published_network_arrives(
    name, wrap, arguments, recognised, reference, convert, tmp_path
):
    published = reference(name)
    source, target = tmp_path / "authors.pth", tmp_path / "new" / "model.safetensors"
    torch.save(wrap(published.state), source)
    code, lines = convert(source, target, *MEAN, *arguments)
    assert code == 0
    assert lines == [line for line in lines if recognised in line and line.endswith(str(target))]
    assert len(lines) == 1

    model = load_model(target)
    assert model.card.classes == described(CITYSCAPES)
    assert (model.card.mean, model.card.std) == ([73.2, 82.9, 72.4], [1, 1, 1])
    assert model.card.dataset == "cityscapes"
    image, logits = published.pairs[0]
    with torch.no_grad():
        assert (model(image) - logits).abs().max() < 1e-4 * logits.abs().max()


@pytest.mark.parametrize(
    ("name", "unused", "align_corners", "mean", "std"),
    [
        ("pidnet_s", ["seghead_p", "seghead_d"], True, 123.675, 58.395),
        ("ddrnet23_slim", ["seghead_extra"], False, 123.675, 58.395),
        ("bisenetv2", ["aux2", "aux3", "aux4", "aux5_4"], False, 255 * 0.3257, 255 * 0.2112),
        ("fast_scnn", ["auxlayer"], True, 123.675, 58.395),
        ("cgnet", [], False, 73.158, 1.0),
    ],
)
def test_a_network_whose_images_are_known(
    name, unused, align_corners, mean, std, reference, convert, tmp_path
):
    source, target = tmp_path / "authors.pth", tmp_path / "model.safetensors"
    published = reference(name)
    heads = {f"{head}.conv1.weight": torch.ones(2, 2) for head in unused}
    state = {"model." + name: value for name, value in (published.state | heads).items()}
    torch.save({"state_dict": state | {"loss.criterion.weight": torch.ones(19)}}, source)
    code, lines = convert(source, target)
    assert (code, len(lines)) == (0, 1)
    assert f"backbone {name}, calibration none, 19 classes of cityscapes" in lines[0]
    assert f"without {' and '.join([*unused, 'loss'])}, which only training needs" in lines[0]
    assert ("align_corners=True, here False" in lines[0]) == align_corners
    model = load_model(target)
    assert model.card.align_corners == align_corners
    assert model.card.mean[0] == pytest.approx(mean)
    assert model.card.std[0] == pytest.approx(std)
    image, scores = published.pairs[0]
    with torch.no_grad():
        assert (model.coarse(image) - scores).abs().max() < 1e-4 * scores.abs().max()
    convert(source, target, *MEAN)
    assert load_model(target).card.mean == [73.2, 82.9, 72.4]


def test_what_is_written_can_be_evaluated(checkpoint, convert, tmp_path):
    target = tmp_path / "model.safetensors"
    target.write_text("an older file")
    assert convert(checkpoint[0], target, "--mean", 1, 2, 3)[0] == 0
    model = load_model(target)
    assert (model.card.dataset, model.card.classes) == ("camvid", described(CAMVID))
    images = torch.randint(256, (2, 32, 48, 3), dtype=torch.uint8).numpy()
    labels = torch.randint(11, (2, 32, 48), dtype=torch.uint8).numpy()
    counts = evaluate(
        model, images, labels, num_classes=11, mean=model.card.mean, device="cpu", progress=False
    )
    assert counts.confusion.sum() == labels.size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["authors.pth", "model.safetensors"]


def test_classes_and_mean_of_a_prepared_store(checkpoint, convert, tmp_path):
    store, target = tmp_path / "store", tmp_path / "model.safetensors"
    store.mkdir()
    classes = [{"name": f"c{i}", "category": "", "color": [i, 0, 0]} for i in range(11)]
    info = {"dataset": "folder", "classes": classes, "mean": [10.0, 20.0, 30.0]}
    info |= {"frequencies": [1 / len(classes)] * len(classes), "splits": {}}
    (store / "dataset.json").write_text(json.dumps(info))
    convert(checkpoint[0], target, "--store", store)
    card = load_model(target).card
    assert (card.dataset, card.classes, card.mean) == ("folder", classes, [10, 20, 30])
    convert(checkpoint[0], target, "--store", store, "--mean", 1.5, 2, 3)
    assert load_model(target).card.mean == [1.5, 2, 3]


@pytest.mark.parametrize(("name", "mean"), [("cgnet", 10.0), ("fast_scnn", 123.675)])
def test_a_fixed_mean_goes_before_a_stores_and_a_training_sets_behind(
    name, mean, reference, convert, tmp_path
):
    source, store = tmp_path / "authors.pth", tmp_path / "store"
    store.mkdir()
    torch.save({"state_dict": reference(name).state}, source)
    classes = [{"name": f"c{i}", "category": "", "color": [i, 0, 0]} for i in range(19)]
    info = {"dataset": "folder", "classes": classes, "mean": [10.0, 20.0, 30.0]}
    info |= {"frequencies": [1 / len(classes)] * len(classes), "splits": {}}
    (store / "dataset.json").write_text(json.dumps(info))
    code, lines = convert(source, tmp_path / "model.safetensors", "--store", store)
    assert code == 0
    assert f"RGB mean {mean:g} " in lines[0]
    assert load_model(tmp_path / "model.safetensors").card.mean[0] == pytest.approx(mean)


def test_classes_of_a_table(checkpoint, convert, tmp_path):
    table, target = tmp_path / "classes.csv", tmp_path / "model.safetensors"
    rows = ["id,name,red,green,blue", *(f"{i},thing {i},{i},0,0" for i in range(11))]
    table.write_text("\n".join(rows))
    code, lines = convert(checkpoint[0], target, "--classes", table, *MEAN)
    assert code == 0
    assert f"11 classes of {table}" in lines[0]
    card = load_model(target).card
    assert (card.dataset, card.classes[3]["name"]) == ("", "thing 3")
    table.write_text("\n".join(rows[:-1]))
    _, lines = convert(checkpoint[0], target, "--classes", table, *MEAN)
    assert f"predicts 11 classes, but {table} has 10" in lines[0]


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (lambda path, state: path.unlink(), MEAN, "authors.pth is missing"),
        (lambda path, state: path.write_bytes(path.read_bytes()[:9000]), MEAN, "could not be read"),
        (
            lambda path, state: torch.save({"model": Malicious(path.with_name("run"))}, path),
            MEAN,
            "nothing in it was run",
        ),
        (
            lambda path, state: torch.save({"features.0.weight": torch.ones(2)}, path),
            MEAN,
            "is of no network known here",
        ),
        (
            lambda path, state: torch.save(state | {"extra": torch.ones(1)}, path),
            MEAN,
            "not understood: extra",
        ),
        (
            lambda path, state: torch.save(
                {k: v for k, v in state.items() if k != "bn1.bias"}, path
            ),
            MEAN,
            "missing: bn1.bias",
        ),
        (
            lambda path, state: torch.save(
                state | {"classify.3.weight": state["classify.3.weight"][:7]}, path
            ),
            MEAN,
            "predicts 7 classes, which is no known dataset's number",
        ),
        (None, [*MEAN, "--dataset", "cityscapes"], "predicts 11 classes, but cityscapes has 19"),
        (None, [*MEAN, "--calibration", "pooled"], "missing: eac.gamma"),
        (None, [], "give --mean R G B, or --store"),
        (None, ["--mean", "1", "2", "256"], "--mean is 1 2 256"),
        (None, ["--store", "nowhere"], "nowhere/dataset.json is missing"),
        (None, [*MEAN, "--classes", "nowhere.csv"], "nowhere.csv is missing"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(
    change, arguments, message, checkpoint, convert, tmp_path
):
    path, state = checkpoint
    target = tmp_path / "model.safetensors"
    target.write_text("an older file")
    if change:
        change(path, state)
    code, lines = convert(path, target, *arguments)
    assert code == 1
    assert message in lines[0]
    assert "\n" not in lines[0]
    assert target.read_text() == "an older file"
    assert {file.name for file in tmp_path.iterdir()} <= {"authors.pth", "model.safetensors"}


@pytest.mark.parametrize("target", ["model.pth", "."])
def test_a_target_that_is_no_model_file_is_refused(target, checkpoint, convert, tmp_path):
    code, lines = convert(checkpoint[0], tmp_path / target, *MEAN)
    assert code == 1
    assert "safetensors" in lines[0]
