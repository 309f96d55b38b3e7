import json
import warnings

import numpy as np
import pytest
import torch

from eacnet.benchmark.published_form import reference_predict
from eacnet.errors import InputError
from eacnet.inference import export
from eacnet.inference.export import Form, export_model


@pytest.mark.parametrize(
    ("backbone", "calibration", "form"),
    [
        ("dab", "pooled", Form(uint8_input=True, label_map=True)),
        ("erf", "full", Form(uint8_input=True)),
        ("enet", "none", Form(label_map=True)),
        ("resnet18", "pooled", Form()),
        ("erfnet", "none", Form()),
    ],
)
def test_onnx_gives_what_the_network_gives(network, pixels, tmp_path, backbone, calibration, form):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = network(backbone, calibration)
    export_model(model, tmp_path / "net.onnx", form)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    for size in ((45, 61), (80, 64)):
        image = pixels(*size)
        fed = image if form.uint8_input else image - torch.tensor(model.card.mean)
        fed = fed if form.uint8_input else fed.permute(0, 3, 1, 2).contiguous()
        (out,) = session.run(None, {"image": fed.numpy()})
        labels = out[0] if form.label_map else out[0].argmax(0)
        truth = reference_predict(model, image[0].numpy())
        assert (labels != truth).mean() <= 1e-3
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"])[1]["color"] == [1, 2, 3]
    assert json.loads(metadata["mean"]) == model.card.mean
    assert metadata["sizes"] == "any"


def test_openvino_takes_every_size_and_says_its_classes(network, pixels, tmp_path):
    openvino = pytest.importorskip("openvino")
    model = network()
    export_model(model, tmp_path / "net.xml", Form(True, True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.bin", "net.xml"]
    graph = openvino.Core().read_model(tmp_path / "net.xml")
    assert json.loads(graph.get_rt_info(["eacnet", "mean"]).value) == model.card.mean
    run = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    image = pixels(45, 61)
    labels = run(image.numpy())[0][0]
    assert (labels != reference_predict(model, image[0].numpy())).mean() <= 1e-3


def test_pt2_takes_multiples_of_the_stride_and_says_so(network, pixels, tmp_path):
    model = network("resnet18", "pooled")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a user would take it for a problem
        metadata = export_model(model, tmp_path / "net.pt2", Form(True, True))
    assert metadata["sizes"] == "multiples of 16 pixels, at least 64"
    files = {"eacnet.json": ""}
    run = torch.export.load(tmp_path / "net.pt2", extra_files=files).module()
    assert json.loads(files["eacnet.json"]) == metadata
    image = pixels(80, 64)
    labels = run(image)[0].numpy()
    assert (labels != reference_predict(model, image[0].numpy())).mean() <= 1e-3


@pytest.mark.parametrize("form", [Form(), Form(label_map=True)])
def test_a_mismatch_leaves_no_file(network, tmp_path, monkeypatch, form):
    pytest.importorskip("onnxruntime")
    written = export._write_onnx

    def sabotaged(exported, metadata, path):
        exported.deployed.network.get_submodule("1").weight.mul_(-1.0)
        written(exported, metadata, path)

    monkeypatch.setattr(export, "_write_onnx", sabotaged)
    with pytest.raises(InputError, match=r"net\.onnx: the exported network .* file was deleted"):
        export_model(network(), tmp_path / "net.onnx", form)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_fails_elsewhere_leaves_no_file(network, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")

    def opened(path):
        def run(image: np.ndarray) -> np.ndarray:
            raise RuntimeError("unsupported\nmore")

        return run

    monkeypatch.setattr(export, "_open_onnx", opened)
    with pytest.raises(InputError, match=r"fails \(unsupported\) at 61x90 pixels"):
        export_model(network(), tmp_path / "net.onnx", Form())
    assert list(tmp_path.iterdir()) == []


def test_unknown_formats_and_missing_packages_are_named(network, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"net\.tflite: unknown format; name it \*\.onnx"):
        export_model(network(), tmp_path / "net.tflite", Form())
    monkeypatch.setattr("eacnet.inference.runtimes.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"openvino not installed.*eacnet\[onnx,openvino\]"):
        export_model(network(), tmp_path / "net.xml", Form())
