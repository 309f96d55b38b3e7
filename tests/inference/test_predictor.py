import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

import eacnet
from eacnet.benchmark.published_form import reference_predict
from eacnet.config.names import CALIBRATIONS
from eacnet.errors import InputError
from eacnet.inference import predictor as predictor_module
from eacnet.inference.export import Signature, export_model
from eacnet.inference.postprocess import Postprocess
from eacnet.models import build_model, save_model
from eacnet.models.attention import Pooled

CASES = [
    *[(b, c) for b in ("dab", "erf", "enet", "resnet18") for c in CALIBRATIONS],
    ("erfnet", "none"),
]


@pytest.mark.parametrize(("backbone", "calibration"), CASES)
def test_labels_are_those_of_the_published_form(network, pixels, backbone, calibration):
    model = network(backbone, calibration)
    for size in ((45, 61), (64, 96)):
        image = pixels(*size)[0].numpy()
        labels = eacnet.Predictor(model)(image)
        truth = reference_predict(model, image)
        assert labels.dtype == np.uint8
        assert labels.shape == size
        assert (labels != truth).mean() <= 1e-3  # of pixels where two classes tie in float32
        assert len(np.unique(truth)) > 1


def test_the_published_form_is_the_network_itself(network, pixels):
    model = network("dab", "full")
    image = pixels(50, 70)
    with torch.no_grad():
        logits = model((image - torch.tensor(model.card.mean)).permute(0, 3, 1, 2))
    truth = logits.argmax(1)[0].byte().numpy()
    assert (reference_predict(model, image[0].numpy()) != truth).mean() <= 1e-3


def test_one_image_a_batch_or_a_sequence(network, pixels):
    predict = eacnet.Predictor(network())
    batch = pixels(40, 56, 3).numpy()
    labels = predict(batch)
    assert labels.shape == (3, 40, 56)
    for image, alone, listed in zip(batch, labels, predict(list(batch)), strict=True):
        assert (predict(image) != alone).mean() <= 1e-3
        assert np.array_equal(predict(image), listed)
    other = pixels(33, 20)[0].numpy()
    assert [p.shape for p in predict((batch[0], other))] == [(40, 56), (33, 20)]
    assert predict([]) == []
    assert predict(batch[:0]).shape == (0, 40, 56)
    assert np.array_equal(predict(batch[0][:, ::-1]), predict(batch[0][:, ::-1].copy()))


def test_a_path_will_do_and_the_network_stays_as_it_is(network, pixels, tmp_path):
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    card = model.card
    save_model(
        model, tmp_path / "net.safetensors", classes=card.classes, mean=card.mean, std=card.std
    )
    image = pixels(40, 56)[0].numpy()
    ours, read = eacnet.Predictor(model), eacnet.Predictor(tmp_path / "net.safetensors")
    assert np.array_equal(ours(image), read(image))
    assert ours.model is model
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert (ours.runtime, ours.precision, ours.device.type) == ("eager", "fp32", "cpu")


def test_bfloat16_agrees_where_classes_are_not_close(network, pixels):
    try:
        predict = eacnet.Predictor(network(), precision="bf16")
    except InputError:
        pytest.skip("this processor has no bfloat16")
    image = pixels(64, 96)[0].numpy()
    assert (predict(image) == reference_predict(predict.model, image)).mean() > 0.9


def test_the_attention_takes_the_fused_kernel(network, monkeypatch):
    own = eacnet.Predictor(network()).attention_kernel
    assert own in ("eacnet postprocess.cpp, float32", "_scaled_dot_product_flash_attention_for_cpu")
    postprocess = Postprocess(network(), torch.device("cpu"), "fp32")
    postprocess.native = False
    assert postprocess.attention_kernel == "_scaled_dot_product_flash_attention_for_cpu"
    monkeypatch.setattr(Pooled, "calibrate", Pooled.written_out)
    postprocess = Postprocess(network(), torch.device("cpu"), "fp32")
    postprocess.native = False
    assert postprocess.attention_kernel == "written out"
    for calibration in ("none", "point", "local", "edge"):
        assert eacnet.Predictor(network("dab", calibration)).attention_kernel == "none"


def test_mapped_arrays_are_images_as_others_are(network, pixels, tmp_path):
    np.save(tmp_path / "images.npy", pixels(45, 61, 2).numpy())
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    predict, expected = eacnet.Predictor(network(), threads=np.int64(1)), pixels(45, 61, 2).numpy()
    assert np.array_equal(predict(mapped), predict(expected))
    assert np.array_equal(predict(mapped[0]), predict(expected[0]))


@pytest.fixture
def wide():
    """PyTorch's default is float64, as in a notebook that set it for its own sake."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_the_default_dtype_of_pytorch_changes_nothing(
    network, pixels, tmp_path, calibration, request
):
    model, image = network(calibration=calibration), pixels(45, 61)[0].numpy()
    path = tmp_path / "net.safetensors"
    card = model.card
    save_model(model, path, classes=card.classes, mean=card.mean, std=card.std)
    expected = eacnet.Predictor(path)(image)
    request.getfixturevalue("wide")
    assert np.array_equal(eacnet.Predictor(path)(image), expected)


BAD = {
    "greyscale": (np.zeros((40, 40), np.uint8), r"greyscale \(40x40\).*convert\('RGB'\)"),
    "one channel": (np.zeros((40, 40, 1), np.uint8), "greyscale"),
    "rgba": (np.zeros((40, 40, 4), np.uint8), r"alpha channel.*image\[\.\.\., :3\]"),
    "16 bits": (np.zeros((40, 40, 3), np.uint16), "16 bits a channel.*>> 8"),
    "float": (np.zeros((40, 40, 3), np.float32), "float32, not uint8"),
    "channels first": (np.zeros((3, 40, 40), np.uint8), "shape 3x40x40.*channels last"),
    "too small": (np.zeros((8, 40, 3), np.uint8), "8x40 pixels are too small"),
    "in a list": ([np.zeros((40, 40, 4), np.uint8)], "image 0 has an alpha channel"),
    "hsv": (Image.new("HSV", (40, 40)), r"Pillow image of mode HSV.*convert\('RGB'\)"),
    "cmyk": (Image.new("CMYK", (40, 40)), "Pillow image of mode CMYK"),
    "masked": (np.ma.masked_equal(np.eye(40, dtype=np.uint8), 1), "masked pixels"),
    "a batch": (np.zeros((2, 40, 40, 4), np.uint8), "alpha channel"),
    "a batch, masked": (np.ma.masked_equal(np.eye(2, 4800).reshape(2, 40, 40, 3), 1), "masked"),
    "no images of seven channels": (np.zeros((0, 40, 40, 7), np.uint8), "shape 40x40x7"),
    "no images of floats": (np.zeros((0, 40, 40, 3)), "float64, not uint8"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_images_are_refused_in_one_line(network, name):
    image, message = BAD[name]
    with pytest.raises(InputError, match=message) as caught:
        eacnet.Predictor(network("dab", "pooled"))(image)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runtime": "warp"}, "unknown runtime 'warp'; choose one of auto, compile, eager"),
        ({"precision": "fp8"}, "unknown precision 'fp8'; choose one of auto, fp32"),
        ({"precision": "int8"}, "runtime eager has no int8 on this cpu; it has fp32"),
        ({"runtime": "onnxruntime", "precision": "int8"}, "has no int8 on this cpu; it has fp32"),
        ({"runtime": "openvino", "precision": "int8"}, "int8 takes its ranges from images"),
        ({"runtime": "auto", "precision": "int8"}, "int8 takes its ranges from images"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"threads": 0}, "threads is 0"),
        ({"threads": 1.5}, "threads is 1.5; a predictor needs a whole number"),
        ({"threads": "2"}, "threads is '2'"),
        ({"threads": True}, "threads is True"),
        ({"threads": 10**6}, "threads is 1000000; a predictor needs a whole number from 1 to"),
        ({"samples": 5}, r"samples are a sequence of images uint8 \(H,W,3\), no int"),
        ({"model": None}, "takes a network or the path of a model file, no NoneType"),
    ],
)
def test_unknown_choices_are_refused(network, arguments, message):
    with pytest.raises(InputError, match=message):
        eacnet.Predictor(**{"model": network(), **arguments})


def test_a_network_without_a_card_is_refused():
    with pytest.raises(InputError, match=r"no card, so the mean.*eacnet\.load_model"):
        eacnet.Predictor(build_model())


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"mean": [100.0]}, r"mean is \[100.0\], not three finite numbers"),
        ({"mean": None}, "mean is None"),
        ({"mean": [float("nan")] * 3}, "mean is"),
        ({"std": [0.0] * 3}, "must be greater than 0"),
        ({"classes": []}, "0 classes described"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(network, card, message):
    model = network()
    model.card = dataclasses.replace(model.card, **card)
    with pytest.raises(InputError, match=message):
        eacnet.Predictor(model)


def test_weights_that_are_no_numbers_are_refused(network):
    model = network()
    next(model.parameters()).data[0] = torch.nan
    with pytest.raises(InputError, match="the network can't be run: not finite"):
        eacnet.Predictor(model)


def test_out_of_memory_says_what_to_reduce(network, monkeypatch):
    def exhausted(*_):
        return lambda pixels: torch.empty(2**60)

    monkeypatch.setattr(predictor_module, "open_runtime", exhausted)
    predict = eacnet.Predictor(network())
    with pytest.raises(InputError, match="1 x 40x48 pixels on cpu; pass smaller images, or free"):
        predict(np.zeros((40, 48, 3), np.uint8))
    with pytest.raises(InputError, match=r"2 x 40x48 pixels on cpu; .* smaller images or fewer at"):
        predict(np.zeros((2, 40, 48, 3), np.uint8))


class Flipped(eacnet.models.EACNet):
    def forward(self, images):
        return (super().forward(images) + super().forward(images.flip(-1)).flip(-1)) / 2


class Seen(eacnet.models.EACNet):
    def evidence(self, images):
        return super().evidence(images.flip(1))


class Named(eacnet.models.EACNet):
    def name(self):
        return "mine"


@pytest.mark.parametrize("kind", [Flipped, Seen, "hook", "method"])
def test_a_network_that_computes_in_a_way_of_its_own_is_refused(network, kind, tmp_path):
    model = network()
    if kind == "hook":
        model.register_forward_pre_hook(lambda _, inputs: inputs[0].flip(1))
    elif kind == "method":
        model.upsample = lambda scores, size: scores
    else:
        model.__class__ = kind
    for use in (eacnet.Predictor, lambda one: export_model(one, tmp_path / "x.pt2", Signature())):
        with pytest.raises(InputError, match=r"has (its own (\w+)\(\)|hooks), which no runtime"):
            use(model)
    assert not list(tmp_path.iterdir())


def test_a_network_that_only_has_more_methods_is_predicted_with(network, pixels):
    model, image = network(), pixels(45, 61)[0].numpy()
    labels = eacnet.Predictor(model)(image)
    model.__class__ = Named
    assert np.array_equal(eacnet.Predictor(model)(image), labels)
