"""Every runtime against the published form, on one small network."""

import logging
import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

import eacnet
from eacnet.benchmark.published_form import reference_predict
from eacnet.config.names import CALIBRATIONS
from eacnet.errors import InputError
from eacnet.inference import auto
from eacnet.inference import runtimes as backends
from eacnet.inference.auto import candidates, choose, describe_choice, plain_labels, split
from eacnet.inference.memory import explained
from eacnet.inference.runtimes.graph import KEPT, Recorded

CPU = torch.device("cpu")
ORT = "eacnet.inference.runtimes.onnxruntime"


def agreement(predict, image):
    return float((predict(image) == reference_predict(predict.model, image)).mean())


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_a_runtime_gives_the_labels_of_the_published_form_at_any_size(
    network, pixels, runtime, calibration
):
    pytest.importorskip(runtime)
    predict = eacnet.Predictor(network("dab", calibration), runtime=runtime)
    for size in ((45, 61), (64, 96)):
        assert agreement(predict, pixels(*size)[0].numpy()) > 0.999
    batch = pixels(40, 56, 2).numpy()
    assert predict(batch).shape == (2, 40, 56)


def test_int8_takes_its_ranges_from_the_samples(network, pixels):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("openvino")
    model, images = network(), pixels(64, 96, 3).numpy()
    options = {"runtime": "openvino", "precision": "int8"}
    fits = eacnet.Predictor(model, samples=images, **options)
    dark = eacnet.Predictor(model, samples=[images[0] // 32], **options)
    assert agreement(fits, images[0]) > 0.8
    assert agreement(dark, images[0]) < agreement(fits, images[0])


def test_compiled_code_gives_the_labels_of_the_published_form(network, shallow, pixels, tmp_path):
    # In a process of its own: in one that had run all tests before, this one once ended in a
    # segmentation fault.
    model = shallow(network("erf"))
    torch.save(model, tmp_path / "model.pt")
    image = pixels(45, 61)[0].numpy()
    np.save(tmp_path / "image.npy", image)
    script = (
        "import eacnet, numpy, torch; model = torch.load('model.pt', weights_only=False); "
        "labels = eacnet.Predictor(model, runtime='compile')(numpy.load('image.npy')); "
        "numpy.save('labels.npy', labels)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, check=True)
    labels = np.load(tmp_path / "labels.npy")
    assert (labels == reference_predict(model, image)).mean() > 0.999


def test_openvino_reports_to_nobody(tmp_path):
    pytest.importorskip("openvino")
    script = (
        "import sys; "
        "from eacnet.inference.runtimes.openvino import core; core(); "
        "print(sys.modules['openvino_telemetry'])"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "None\n"
    assert not list(tmp_path.iterdir())


def test_a_runtime_that_is_not_installed_names_the_extra(network, monkeypatch):
    monkeypatch.setattr(backends.util, "find_spec", lambda name: None)
    message = r"runtime openvino needs openvino and onnx.*pip install eacnet\[onnx,openvino\]"
    with pytest.raises(InputError, match=message):
        eacnet.Predictor(network(), runtime="openvino")
    assert {name for name, _ in candidates("auto", "fp32", CPU, True)} == {"eager", "compile"}


@pytest.fixture
def without_onnxruntime(monkeypatch):
    find = backends.util.find_spec
    monkeypatch.setattr(
        backends.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name)
    )


def test_int8_needs_a_quantiser_and_names_its_extra(network, pixels, without_onnxruntime):
    pytest.importorskip("openvino")
    message = r"runtime openvino in int8 needs onnxruntime.*pip install eacnet\[onnx,openvino\]"
    with pytest.raises(InputError, match=message):
        eacnet.Predictor(
            network(), runtime="openvino", precision="int8", samples=pixels(40, 56).numpy()
        )
    assert backends.lacking("openvino", "bf16") == []


def test_auto_leaves_out_int8_that_cant_be():
    pytest.importorskip("openvino")
    assert ("openvino", "int8") in candidates("openvino", "auto", CPU, True)
    assert ("openvino", "int8") not in candidates("openvino", "auto", CPU, False)


def test_auto_leaves_out_int8_without_a_quantiser(without_onnxruntime):
    pytest.importorskip("openvino")
    pairs = candidates("auto", "auto", CPU, True)
    assert ("openvino", "fp32") in pairs
    assert not {"int8", "onnxruntime"} & {part for pair in pairs for part in pair}


def test_what_auto_compares_with_are_the_labels_of_the_network(network, pixels, assert_labels):
    model, image = network(std=(2.0, 3.0, 4.0)), pixels(45, 61)
    assert_labels(model, image, *plain_labels(model, [image[0].numpy()], CPU))


def test_what_a_runtime_imports_is_there():
    for runtime in backends.runtimes():
        if not backends.lacking(runtime):
            assert all(map(find_spec, backends.libraries(runtime))), runtime


@pytest.mark.parametrize("count", range(20))
def test_auto_tries_itself_on_other_images_than_int8_has_seen(count):
    tried, rest = split(list(range(count)))
    assert min(count, 1) <= len(tried) <= 4
    assert set(tried) | set(rest) == set(range(count))
    if count > 1:
        assert not set(tried) & set(rest)
        assert len(rest) >= len(tried) - 1


def test_a_choice_is_told_the_fastest_first():
    trials = [
        {"runtime": "a", "precision": "bf16", "agreement": 0.98, "median_ms": None,
         "problem": "disagrees with fp32 eager"},
        {"runtime": "b", "precision": "fp32", "agreement": 1.0, "median_ms": 20.4, "problem": ""},
        {"runtime": "c", "precision": "fp32", "agreement": 0.9995, "median_ms": 9.6, "problem": ""},
    ]  # fmt: skip
    assert describe_choice({"runtime": "c", "precision": "fp32", "trials": trials}) == (
        "c fp32 of c fp32: 10 ms, 99.950 % same labels; b fp32: 20 ms, 100.000 % same labels; "
        "a bf16: 98.000 % same labels, disagrees with fp32 eager"
    )


def test_auto_takes_the_fastest_of_those_that_agree(monkeypatch):
    truth = np.zeros((10, 200), np.uint8)
    wrong = truth.copy()
    wrong[0, :3] = 1  # 0.15 % of the labels
    clock = iter(range(10**6))
    speed = {"eager": 5, "compile": 3, "onnxruntime": 1}
    results = {"eager": truth, "compile": truth, "onnxruntime": wrong}

    def opened(runtime, precision):
        if runtime == "openvino":
            raise RuntimeError("no such instruction\nmore")

        def predict(image):
            for _ in range(speed[runtime]):
                next(clock)
            return results[runtime]

        return predict

    monkeypatch.setattr(auto.time, "perf_counter", lambda: next(clock))
    pairs = [(name, "fp32") for name in ("eager", "compile", "onnxruntime", "openvino")]
    images = [np.zeros((10, 200, 3), np.uint8)]
    _, choice = choose(pairs, opened, images, [truth])
    assert (choice["runtime"], choice["precision"], choice["agreement"]) == ("compile", "fp32", 1)
    problems = {trial["runtime"]: trial["problem"] for trial in choice["trials"]}
    assert problems["openvino"] == "no such instruction"
    assert problems["onnxruntime"] == "disagrees with the plain network"
    times = {trial["runtime"]: trial["median_ms"] for trial in choice["trials"]}
    assert choice["median_ms"] == times["compile"] == 1000 * (speed["compile"] + 1)
    with pytest.raises(InputError, match="no runtime gives the labels"):
        choose(pairs[2:3], opened, images, [truth])


def test_what_onnx_runtime_raises_is_no_reason_to_do_without_the_others():
    errors = pytest.importorskip("onnxruntime.capi.onnxruntime_pybind11_state")
    truth = np.zeros((10, 20), np.uint8)

    def opened(runtime, _precision):
        if runtime == "onnxruntime":
            raise errors.Fail("Failed to allocate memory for requested buffer")
        return lambda image: truth

    pairs = [("onnxruntime", "fp32"), ("eager", "fp32")]
    _, choice = choose(pairs, opened, [np.zeros((10, 20, 3), np.uint8)], [truth])
    assert choice["runtime"] == "eager"
    with (
        pytest.raises(InputError, match="out of memory for 2 images; take 1"),
        explained("2 images", "take 1"),
    ):
        opened("onnxruntime", "fp32")


def test_a_provider_that_cannot_be_loaded_is_refused(network, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPU"]
    )
    assert import_module(ORT).precisions(torch.device("cuda")) == ("fp32",)
    with pytest.raises(InputError, match="can't load its CUDAExecutionProvider"):
        import_module(ORT).open_runtime(network(), "fp32", torch.device("cuda"), ())


def test_compile_compiles_however_many_networks_there_were(network, shallow, monkeypatch):
    compiled = []

    def backend(graph, _inputs):
        compiled.append(graph)
        return graph.forward

    original = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda network, dynamic, options: original(network, backend=backend)
    )
    torch._dynamo.reset()
    limit = {"recompile_limit": 1, "accumulated_recompile_limit": 1}  # PyTorch's: 8 and 256
    with torch._dynamo.config.patch(limit):
        for _ in range(3):
            scores = import_module("eacnet.inference.runtimes.compile").open_runtime(
                shallow(network("erf")), "fp32", CPU, ()
            )
            scores(torch.zeros(1, 16, 24, 3, dtype=torch.uint8))
    assert len(compiled) == 3


def test_more_classes_than_a_label_map_can_hold_are_refused(network):
    with pytest.raises(InputError, match="257 classes; label maps of 8 bits hold 256"):
        eacnet.Predictor(network(classes=257))


def test_auto_says_what_it_picked(network, pixels, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(auto, "runtimes", lambda: ("eager", "onnxruntime", "openvino"))
    image = pixels(40, 56)[0].numpy()
    predict = eacnet.Predictor(network(), runtime="auto", samples=[image])
    assert predict.choice["runtime"] == predict.runtime in backends.runtimes()
    assert predict.precision == "fp32"
    assert f"auto picked {describe_choice(predict.choice)}" in caplog.messages
    assert agreement(predict, image) > 0.99


MINE = """
from eacnet.inference.folded import Folded

PACKAGES, EXTRA, LIBRARIES = {packages!r}, {extra!r}, ("decimal",)


def precisions(device):
    return ("fp32",)


def open_runtime(model, precision, device, samples):
    return Folded(model)
"""


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Return a function that adds a runtime "mine"."""

    def add(*packages, extra="mine"):
        (tmp_path / "mine.py").write_text(MINE.format(packages=packages, extra=extra))
        (tmp_path / "_shared.py").write_text("")
        monkeypatch.setattr(backends, "__path__", [*backends.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"{backends.__name__}.mine", raising=False)

    yield add
    sys.modules.pop(f"{backends.__name__}.mine", None)


def test_a_runtime_is_one_file(added, network, pixels):
    added()
    assert backends.runtimes() == ("compile", "eager", "graph", "mine", "onnxruntime", "openvino")
    predict = eacnet.Predictor(network(), runtime="mine")
    assert agreement(predict, pixels(45, 61)[0].numpy()) > 0.999
    assert ("mine", "fp32") in candidates("auto", "auto", CPU, True)
    assert backends.libraries("mine") == ("decimal",)
    assert "decimal" in backends.libraries("auto")
    with pytest.raises(InputError, match="runtime mine has no bf16 on this cpu; it has fp32"):
        eacnet.Predictor(network(), runtime="mine", precision="bf16")


@pytest.mark.parametrize(
    ("extra", "remedy"), [("mine", r"eacnet\[mine\]"), ("", "no_such nor_such")]
)
def test_a_runtime_says_what_it_needs(added, network, extra, remedy):
    added("torch", "no_such", "nor_such", extra=extra)
    message = rf"runtime mine needs no_such and nor_such, not installed here: pip install {remedy}$"
    with pytest.raises(InputError, match=message):
        eacnet.Predictor(network(), runtime="mine")
    assert "mine" not in {name for name, _ in candidates("auto", "auto", CPU, True)}


def test_params_know_the_runtimes_by_their_files(tmp_path):
    package = Path(eacnet.__file__).parent
    shutil.copytree(package, tmp_path / "eacnet", ignore=shutil.ignore_patterns("*.safetensors"))
    (tmp_path / "eacnet" / "inference" / "runtimes" / "mine.py").write_text(MINE)
    script = (
        "import sys; from eacnet.config.benchmark import Grid; "
        "Grid(networks=['dab-none'], forms=['mine', 'published', 'auto'], sizes=[[64, 96]]); "
        "assert 'torch' not in sys.modules"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, check=True)


class Replay:
    """What a CUDA graph does, on the processor: the same work on the same memory."""

    def __init__(self, function, held, result):
        self.function, self.held, self.result = function, held, result

    def replay(self):
        self.result.copy_(self.function(self.held))


def test_every_shape_is_recorded_once_while_it_is_among_the_last(monkeypatch):
    recorded = []

    def record(self, given):
        recorded.append(given.shape[0])
        held = given.clone()
        result = torch.zeros_like(self.function(held))
        return Replay(self.function, held, result), held, result

    monkeypatch.setattr(Recorded, "_record", record)
    doubled = Recorded(lambda given: 2 * given)
    lengths = [*range(1, KEPT + 1), 1, KEPT + 1, 1, 2]
    for number, length in enumerate(lengths):
        given = torch.arange(length) + number
        assert torch.equal(doubled(given), 2 * given)
    # 1 was used again before one too many came, so 2 had to go.
    assert recorded == [*range(1, KEPT + 2), 2]


def test_a_runtime_may_wrap_the_whole_pass(network, pixels, monkeypatch):
    seen = []

    def noting(whole):
        return lambda pixels: seen.append((pixels.shape, whole(pixels).shape)) or whole(pixels)

    eager = import_module("eacnet.inference.runtimes.eager")
    monkeypatch.setattr(eager, "whole", noting, raising=False)
    eacnet.Predictor(network(), device="cpu")(pixels(40, 56, 2).numpy())
    assert seen == [((2, 40, 56, 3), (2, 40, 56))]


def test_a_processor_has_no_graphs(network):
    with pytest.raises(InputError, match="runtime graph has no fp32 on this cpu; it has none"):
        eacnet.Predictor(network(), runtime="graph", device="cpu")
    assert "graph" not in {name for name, _ in candidates("auto", "auto", CPU, True)}
