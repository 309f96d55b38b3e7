import json
import warnings

import numpy as np
import pytest
import torch

from eacnet.config.names import CALIBRATIONS
from eacnet.errors import InputError
from eacnet.inference.export import Signature, export_model
from eacnet.inference.export.exported import least_side
from eacnet.inference.export.formats import FORMATS
from eacnet.models import build_model


@pytest.mark.parametrize(
    ("backbone", "calibration", "signature"),
    [
        ("dab", "pooled", Signature(uint8_input=True, label_map=True)),
        ("erf", "full", Signature(uint8_input=True)),
        ("enet", "none", Signature(label_map=True)),
        ("resnet18", "pooled", Signature()),
        ("resnet18", "point", Signature(label_map=True)),
        ("enet", "local", Signature()),
        ("dab", "edge", Signature(uint8_input=True, label_map=True)),
        ("bisenetv2", "edge", Signature()),
        ("erfnet", "none", Signature()),
        ("pidnet_s", "pooled", Signature(uint8_input=True, label_map=True)),
        ("ddrnet23_slim", "none", Signature()),
        ("bisenetv2", "pooled", Signature(uint8_input=True)),
        ("fast_scnn", "pooled", Signature(uint8_input=True, label_map=True)),
        ("cgnet", "none", Signature(uint8_input=True, label_map=True)),
    ],
)
def test_onnx_gives_what_the_network_gives(
    network, pixels, tmp_path, assert_labels, backbone, calibration, signature
):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = network(backbone, calibration)
    export_model(model, tmp_path / "net.onnx", signature)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    for size in ((45, 61), (80, 64)):
        image = pixels(*size)
        fed = image if signature.uint8_input else image - torch.tensor(model.card.mean)
        fed = fed if signature.uint8_input else fed.permute(0, 3, 1, 2).contiguous()
        (out,) = session.run(None, {"image": fed.numpy()})
        assert_labels(model, image, out[0] if signature.label_map else out[0].argmax(0))
    # The same names at both ends: who reads them knows which sizes are equal.
    for end in (*session.get_inputs(), *session.get_outputs()):
        assert {"batch", "height", "width"} <= set(end.shape)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"])[1]["color"] == [1, 2, 3]
    assert json.loads(metadata["mean"]) == model.card.mean
    least = 17 if backbone == "resnet18" else 9  # two rows of scores
    pooled = f"any, at least {least}x{least}"
    assert metadata["sizes"] == (pooled if calibration == "pooled" else "any")
    assert (metadata["input"], metadata["output"]) == (signature.input, signature.output)
    assert metadata["input"].startswith(("uint8 (batch,", "float32 (batch,"))


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_openvino_takes_every_size_and_says_its_classes(
    network, shallow, pixels, tmp_path, assert_labels, calibration
):
    openvino = pytest.importorskip("openvino")
    model = shallow(network("erf", calibration))
    export_model(model, tmp_path / "net.xml", Signature(True, True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.bin", "net.xml"]
    graph = openvino.Core().read_model(tmp_path / "net.xml")
    assert json.loads(graph.get_rt_info(["eacnet", "mean"]).value) == model.card.mean
    run = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    # The smallest first: a single attended key must not stand for those that follow.
    for size in ((9, 9), (45, 61), (17, 9), (80, 64)):
        image = pixels(*size)
        labels = run(image.numpy())[0][0]
        assert_labels(model, image, labels)


def test_a_file_that_is_wrong_behind_a_small_image_is_refused(network, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    opened = FORMATS[".onnx"].open

    def forgetful(path):
        run, seen = opened(path), []

        def once_small(image: np.ndarray) -> np.ndarray:
            seen.append(image.size)
            return run(image) if seen[0] >= image.size or image.size < 9000 else 1 - run(image)

        return once_small

    monkeypatch.setattr(FORMATS[".onnx"], "open", forgetful)
    model = network("dab", "pooled")
    with pytest.raises(InputError, match=r"gives other classes on .* at 61x90 pixels"):
        export_model(model, tmp_path / "net.onnx", Signature(True, True))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("backbone", ["bisenetv2", "fast_scnn"])
def test_openvino_takes_sizes_that_were_not_traced(
    network, pixels, tmp_path, assert_labels, backbone
):
    openvino = pytest.importorskip("openvino")
    model = network(backbone)
    export_model(model, tmp_path / "net.xml", Signature(True, True))
    run = openvino.Core().compile_model(
        tmp_path / "net.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    for size in ((203, 330), (24, 24)):
        image = pixels(*size)
        labels = run(image.numpy())[0][0]
        assert_labels(model, image, labels)


@pytest.mark.parametrize(
    ("backbone", "suffix"), [("pidnet_s", ".pt2"), ("fast_scnn", ".onnx"), ("dab", ".xml")]
)
def test_a_fixed_size_of_any_shape(network, pixels, tmp_path, assert_labels, backbone, suffix):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("openvino")
    model = network(backbone)
    file = tmp_path / f"net{suffix}"
    metadata = export_model(model, file, Signature(True, True, size=(93, 150)))
    assert metadata["sizes"] == "93x150"
    run = FORMATS[suffix].open(file)
    image = pixels(93, 150)
    labels = run(image.numpy())[0]
    assert_labels(model, image, labels)
    with pytest.raises(Exception, match=r"(?i)shape|size|dimension"):
        run(pixels(96, 160).numpy())
    with pytest.raises(InputError, match="8x150 pixels are too small"):
        export_model(model, file, Signature(size=(8, 150)))


def test_an_open_pt2_of_a_network_that_pads_further(network, tmp_path):
    metadata = export_model(network("fast_scnn", "none"), tmp_path / "net.pt2", Signature())
    assert metadata["sizes"] == "multiples of 32 pixels, at least 64"


def test_the_least_side_leaves_two_rows_in_the_coarsest_map():
    sides = {name: least_side(build_model(name, 5, "none")) for name in ("dab", "ddrnet23_slim")}
    assert sides == {"dab": 16, "ddrnet23_slim": 520}
    assert least_side(build_model("resnet18", 5, "pooled")) == 64


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_pt2_takes_multiples_of_the_stride_and_says_so(
    network, shallow, pixels, tmp_path, assert_labels, calibration
):
    model = shallow(network("erf", calibration))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a user would take it for a problem
        metadata = export_model(model, tmp_path / "net.pt2", Signature(True, True))
    least = 32 if calibration == "pooled" else 16
    assert metadata["sizes"] == f"multiples of 8 pixels, at least {least}"
    files = {"eacnet.json": ""}
    run = torch.export.load(tmp_path / "net.pt2", extra_files=files).module()
    assert json.loads(files["eacnet.json"]) == metadata
    assert metadata["input"] == "uint8 (1, height, width, 3), RGB"
    assert metadata["output"] == Signature(True, True).output.replace("batch", "1")
    image = pixels(80, 64)
    labels = run(image)[0].numpy()
    assert_labels(model, image, labels)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_baseline_of_maps_at_a_sixteenth_is_exported(network, tmp_path, suffix):
    pytest.importorskip({".xml": "openvino", ".onnx": "onnxruntime"}.get(suffix, "torch"))
    metadata = export_model(network("lraspp", "none"), tmp_path / f"net{suffix}", Signature())
    assert "multiples of 8 pixels, at least 24" in metadata["sizes"] or suffix != ".pt2"


@pytest.mark.parametrize("signature", [Signature(), Signature(label_map=True)])
def test_a_mismatch_leaves_no_file(network, tmp_path, monkeypatch, signature):
    pytest.importorskip("onnxruntime")
    written = FORMATS[".onnx"].write

    def sabotaged(exported, metadata, path):
        exported.folded.network.get_submodule("1").weight.mul_(-1.0)
        written(exported, metadata, path)

    monkeypatch.setattr(FORMATS[".onnx"], "write", sabotaged)
    with pytest.raises(InputError, match=r"net\.onnx: the exported network .* file was deleted"):
        export_model(network(), tmp_path / "net.onnx", signature)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_fails_elsewhere_leaves_no_file(network, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")

    def opened(path):
        def run(image: np.ndarray) -> np.ndarray:
            raise RuntimeError("unsupported\nmore")

        return run

    monkeypatch.setattr(FORMATS[".onnx"], "open", opened)
    with pytest.raises(InputError, match=r"fails \(unsupported\) at 9x9 pixels"):
        export_model(network(), tmp_path / "net.onnx", Signature())
    assert list(tmp_path.iterdir()) == []


def test_unknown_formats_and_missing_packages_are_named(network, tmp_path, monkeypatch):
    for name in ("net.tflite", "net.XML"):
        with pytest.raises(InputError, match=rf"{name}: unknown format; name it \*\.onnx"):
            export_model(network(), tmp_path / name, Signature())
    monkeypatch.setattr("eacnet.inference.runtimes.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"openvino not installed.*eacnet\[onnx,openvino\]"):
        export_model(network(), tmp_path / "net.xml", Signature())
