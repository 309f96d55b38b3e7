"""What runs on a CUDA GPU, against the same on the processor; skipped where there is none."""

import json
import os
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch

import eacnet
from eacnet.benchmark.build import Setup
from eacnet.benchmark.samples import DRAWN
from eacnet.config.names import BACKBONES, CALIBRATIONS
from eacnet.config.params import Hardware
from eacnet.config.recipe import Recipe
from eacnet.data.device import DeviceLoader
from eacnet.data.samples import Augmentation, Batches, Samples
from eacnet.data.store import Split
from eacnet.evaluation.evaluate import evaluate, quick_miou
from eacnet.inference.auto import plain_labels
from eacnet.models import build_model
from eacnet.scenes import draw_scene
from eacnet.training.loop import make_fabric, train
from eacnet.training.losses import CrossEntropy

pytestmark = pytest.mark.gpu

GPU, CPU = torch.device("cuda"), torch.device("cpu")
MEAN = [90.0, 100.0, 110.0]
CLASSES = 19
WEIGHTS = Path(eacnet.__file__).parent / "weights"


@pytest.fixture(scope="module")
def split() -> Split:
    scenes = [draw_scene(96, 160, seed) for seed in range(8)]
    images, labels = (np.stack([scene[i] for scene in scenes]) for i in (0, 1))
    return Split(images, labels % CLASSES, [str(i) for i in range(8)])


def samples(split: Split, photometric=None) -> Samples:
    how = Augmentation((64, 96), (0.75, 1.0, 1.5), (90, 100, 110), photometric)
    return Samples([split], how, seed=7)


def trained(split: Split, folder, hardware: str = "cuda", data: str = "auto", **changes):
    values = {
        "epochs": 6,
        "batch": 4,
        "crop": (64, 96),
        "scales": [0.75, 1.0, 1.5],
        "optimiser": {"name": "adam", "lr": 0.001, "weight_decay": 0.0002},
        "schedule": {
            "warmup_iterations": 2,
            "warmup_start": 0.3333,
            "power": 0.9,
            "step": "iteration",
        },
        "loss": {"name": "cross_entropy", "class_weights": "none"},
        "validate_every": 3,
        "precision": "fp32",
        "compile": False,
    }
    recipe = Recipe(**{**values, **changes})
    fabric = make_fabric(Hardware(accelerator=hardware, devices=1, workers=0), recipe.precision)
    torch.manual_seed(7)
    network = build_model("dab", CLASSES, "pooled")

    def validate(network):
        return quick_miou(network, split.images, split.labels, mean=MEAN, device=fabric.device)

    history = train(
        fabric,
        network,
        CrossEntropy(None),
        samples(split),
        MEAN,
        recipe,
        0,
        folder / "checkpoint.pt",
        validate,
        data,
    )
    return network.cpu(), history


def test_crops_are_those_of_the_processor(split):
    batches = Batches(8, 4, 7)
    both = [DeviceLoader(samples(split), batches, device) for device in (GPU, CPU)]
    for (pixels, classes), (truth, labels) in zip(*both, strict=True):
        assert pixels.is_cuda
        assert torch.equal(classes.cpu(), labels)
        assert (pixels.cpu().int() - truth.int()).abs().max() <= 1


@pytest.mark.parametrize("changes", [{}, {"compile": True}, {"precision": "bf16", "compile": True}])
def test_a_training_is_that_of_the_processor(split, tmp_path, changes):
    (tmp_path / "cpu").mkdir()
    _, truth = trained(split, tmp_path / "cpu", "cpu", "device")
    network, history = trained(split, tmp_path, **changes)
    assert next(network.parameters()).device == CPU
    losses, expected = ([epoch.loss for epoch in each] for each in (history, truth))
    # They drift apart as all trainings do, with bfloat16 sooner; the first epoch is two steps.
    apart = 3 if "precision" in changes else 1
    assert losses[0] == pytest.approx(expected[0], rel=0.01 * apart)
    assert losses == pytest.approx(expected, rel=0.1 * apart)
    assert all(after < before for before, after in pairwise(losses))
    assert history[-1].val_miou == pytest.approx(truth[-1].val_miou, abs=4)


def test_the_average_and_a_held_backbone(split, tmp_path):
    _, history = trained(split, tmp_path, average=0.9, compile=True)
    assert history[-1].loss < history[0].loss
    (tmp_path / "held").mkdir()
    held, _ = trained(split, tmp_path / "held", trains="calibration", init="x", compile=True)
    torch.manual_seed(7)
    start = build_model("dab", CLASSES, "pooled")
    for name, value in start.state_dict().items():
        moved = not torch.equal(held.state_dict()[name], value)
        assert moved == name.startswith("calibration."), name


@pytest.fixture
def exact(monkeypatch):
    """Let convolutions run in float32 itself, which PyTorch by default leaves to TF32."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def labels_of(model, images) -> np.ndarray:
    return np.stack(plain_labels(model, list(images), CPU))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("runtime", ["eager", "graph"])
@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_network_predicts_as_on_the_processor(split, backbone, calibration, runtime):
    model = Setup(CLASSES, 1, "cuda", DRAWN).network(f"{backbone}-{calibration}")
    predict = eacnet.Predictor(model, runtime=runtime)
    assert predict.device.type == "cuda"
    images = split.images[:2]
    assert (predict(images) == labels_of(model, images)).mean() >= 0.999


@pytest.mark.parametrize("runtime", ["eager", "graph", "compile"])
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("weights", ["camvid", "camvid_edge"])
def test_trained_networks_keep_their_labels_in_every_precision(split, weights, precision, runtime):
    if runtime == "compile" and (weights, precision) == ("camvid", "bf16"):
        pytest.skip("compiling takes a minute each")
    model = eacnet.load_model(WEIGHTS / f"{weights}.safetensors")
    predict = eacnet.Predictor(model, runtime=runtime, precision=precision)
    truth = labels_of(model, split.images[:4])
    assert (predict(split.images[0]) == truth[0]).mean() >= 0.97
    assert (predict(split.images[1:4]) == truth[1:]).mean() >= 0.97


@pytest.mark.usefixtures("exact")
def test_a_graph_is_replayed_at_every_size_and_overwrites_no_result(split):
    model = eacnet.load_model(WEIGHTS / "camvid_edge.safetensors")
    eager, graph = (eacnet.Predictor(model, runtime=runtime) for runtime in ("eager", "graph"))
    crops = [split.images[i][: 96 - 3 * i, : 160 - 5 * i] for i in range(8)]
    crops += [crop[:, ::-1] for crop in crops] + [crops[0][:64]]
    results = [graph(crop) for crop in crops]  # more sizes than graphs are kept
    for crop, labels in zip(crops, results, strict=True):
        assert (labels == eager(crop)).mean() >= 0.999


def test_auto_takes_what_agrees(split):
    model = eacnet.load_model(WEIGHTS / "camvid.safetensors")
    samples = list(split.images[:2])
    predict = eacnet.Predictor(model, runtime="auto", precision="fp32", samples=samples)
    assert predict.choice["agreement"] >= 0.999
    assert {trial["runtime"] for trial in predict.choice["trials"]} >= {"eager", "graph", "compile"}


def test_counts_are_those_of_the_processor(split):
    model = Setup(CLASSES, 1, "cuda", DRAWN).network("dab-pooled")
    how = {"num_classes": CLASSES, "mean": MEAN, "progress": False}
    ours, truth = (
        evaluate(model, split.images, split.labels, device=device, **how) for device in (GPU, CPU)
    )
    assert ours.confusion.sum() == truth.confusion.sum()
    differ = np.abs(ours.confusion - truth.confusion).sum() / 2
    assert differ <= 0.005 * truth.confusion.sum()


BENCHMARK = """
import json, sys, torch
from eacnet.benchmark.run import benchmark
from eacnet.config.benchmark import Plan
json.dump(benchmark(Plan(**json.loads(sys.argv[1])), torch.device("cuda"), 1), sys.stdout)
"""


def test_the_benchmark_times_every_form_of_a_gpu():
    # In a process of its own: what it forks sees what the first test of this one saw.
    case = {"networks": ["dab-pooled"], "sizes": [[96, 160]]}
    ours = {**case, "forms": ["eager", "graph"], "precisions": ["fp32", "bf16"]}
    plain = {**case, "forms": ["published", "eager"]}
    times = {"warm_up": 0.1, "rounds": 3, "least_rounds": 2, "seconds": 5}
    plan = {"classes": CLASSES, "rows": [plain, ours], "modules": [plain], **times}
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", BENCHMARK, json.dumps(plan)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        stdout=subprocess.PIPE,
        check=True,
    )
    result = json.loads(done.stdout)
    forms = {(row["form"], row["precision"]) for row in result["rows"] if row["median_ms"]}
    assert forms == {("published", "fp32"), *product(("eager", "graph"), ("fp32", "bf16"))}
    assert all(row["peak_memory_mb"] > 0 for row in result["rows"])
    # Random weights, whose scores are close, in TF32: trained networks agree on far more.
    assert all(row["agreement"] >= 0.95 for row in result["rows"] if row["precision"] == "fp32")
    assert result["limits"]["fp32_gflops"] > 0
