import copy
import gc
import importlib.util
import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from eacnet.models import ModelCard, build_model

# Asked before it is hidden from the tests.
HAS_GPU = torch.cuda.is_available()
VISIBLE = "CUDA_VISIBLE_DEVICES"
REFERENCE = Path(__file__).parents[1].parent / "shared" / "reference"


def pytest_collection_finish():
    """Spare the collector what was imported: to go through it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(7000, 10, 10)


def pytest_unconfigure():
    """Let libraries find at the end that nothing of theirs is left."""
    gc.unfreeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with the slowest folders, or one worker ends minutes after the other."""
    first = ("stages", "inference", "tests", "commands", "training", "report")
    items.sort(key=lambda item: item.path.parent.name not in first)


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem):
    """End the run at once when a worker of pytest-xdist dies in a test: the others would go on."""
    pytest.exit(f"a worker died in {crashitem}", returncode=1)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """End the run when a worker dies between two tests, which alone would not make it red."""
    if error:
        node.config.pluginmanager.getplugin("dsession").shouldstop = f"{node.gateway.id} died"


@pytest.fixture(scope="session", autouse=True)
def _on_the_processor():
    """Hide a GPU, here and from what is started: tests compare with figures of the processor."""
    with pytest.MonkeyPatch.context() as patch:
        if HAS_GPU:
            patch.setenv(VISIBLE, "")
            patch.setattr(torch.cuda, "is_available", lambda: False)
        yield


@pytest.fixture(autouse=True)
def _on_the_gpu(request, monkeypatch):
    """Show it to the tests that are marked so."""
    if request.node.get_closest_marker("gpu"):
        if not HAS_GPU:
            pytest.skip("needs a CUDA GPU")
        monkeypatch.setenv(VISIBLE, "0")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        # Counted while it is visible: PyTorch counts once.
        torch.cuda.init()
        torch.cuda.device_count()


@pytest.fixture(autouse=True)
def _alone():
    """Start each test with the same random numbers, and leave threads and signals as they were."""
    torch.manual_seed(0)
    threads, handler = torch.get_num_threads(), signal.getsignal(signal.SIGTERM)
    yield
    torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, handler)


class Reference:
    """Published parameters, inputs and logits, as ../shared/reference has them."""

    def __init__(self, name):
        spec = importlib.util.spec_from_file_location("fill", REFERENCE / "fill.py")
        fill = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fill)
        self.fill = fill
        description = json.loads((REFERENCE / f"{name}.json").read_text())
        self.state = {
            name: torch.from_numpy(np.asarray(fill.fill(name, *value.values())))
            for name, value in description["parameters"].items()
        }
        self.pairs = []
        for key, logits in np.load(REFERENCE / f"{name}.npz").items():
            height, width = map(int, key.rpartition("_")[2].split("x"))
            self.pairs.append((self.input(height, width), torch.from_numpy(logits)))

    def input(self, height, width):
        return torch.from_numpy(self.fill.example_input(height, width))


@pytest.fixture
def reference():
    """Return a function: name of a published network -> Reference."""
    if not REFERENCE.is_dir():
        pytest.skip(f"reference vectors are absent: {REFERENCE}")
    return Reference


def small(backbone="erf", calibration="pooled", classes=5, std=(1.0, 1.0, 1.0)):
    """Return a network with drawn statistics and a card: nothing in it is a neutral element."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model = build_model(backbone, classes, calibration)
    _draw(model, generator)
    # Sharp enough to matter, calm enough for a softmax that is not one-hot.
    for name, parameter in model.calibration.named_parameters():
        if name in ("query.weight", "key.weight"):
            parameter.data.mul_(0.05)
        elif not parameter.any():
            parameter.data.normal_(generator=generator)
    colours = [
        {"name": f"class {i}", "category": "any", "color": [i, 2 * i, 3 * i]}
        for i in range(classes)
    ]
    model.card = ModelCard(colours, [72.0, 81.0, 70.0], list(std), "drawn")
    model.eval()
    _balance(model)
    return model


def _draw(model, generator):
    modules = dict(model.named_modules())
    for name, value in model.state_dict().items():
        owner, _, last = name.rpartition(".")
        norm = isinstance(modules[owner], torch.nn.BatchNorm2d)
        if last == "running_var" or (norm and last == "weight"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif value.ndim < 2 and value.is_floating_point():
            value.uniform_(0.1, 0.4, generator=generator)
        elif value.ndim == 4 and not value.any() and ".guide." in name:
            value.normal_(0, 0.05, generator=generator)


@torch.no_grad()
def _balance(model):
    """Take the mean feature out of the classifier, so that no class wins everywhere."""
    last = [m for m in model.classifier.modules() if hasattr(m, "weight")][-1]
    seen = []
    hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.coarse(60 * torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(2)))
    hook.remove()
    axis = 0 if isinstance(last, torch.nn.ConvTranspose2d) else 1
    mean = seen[0].mean((0, 2, 3)).reshape([-1 if i == axis else 1 for i in range(4)])
    last.weight -= mean * (last.weight * mean).sum(axis, keepdim=True) / mean.square().sum()


@pytest.fixture
def network():
    """Return the function that draws a small network with a card."""
    return small


@pytest.fixture
def shallow():
    """Return a function that leaves `network("erf")` two layers, for what lasts with each layer."""

    def cut(model):
        model.backbone.layers = torch.nn.Sequential(*(model.backbone.layers[i] for i in (0, 6)))
        return model

    return cut


@torch.no_grad()
def rounding(network, images):
    """Return what a network makes of images in float64, and how far float32 may end up from it.

    The error of a single pass may be small by luck. So it is the largest of several, whose images
    differ by as little as float32 can tell, and twice that: another order of summing is a draw of
    its own.
    """
    exact = copy.deepcopy(network).double()(images.double())
    generator = torch.Generator().manual_seed(0)
    nudges = (2.0**-23 * (2 * torch.rand(images.shape, generator=generator) - 1) for _ in range(4))
    passes = (images, *(images * (1 + nudge) for nudge in nudges))
    return exact, 2 * max((network(each) - exact).abs().max().item() for each in passes)


@pytest.fixture
def assert_labels():
    """Return the function that compares labels with those of the network in float64."""
    return _assert_labels


def _assert_labels(model, image, labels):
    """Labels (H,W) of an image uint8 (1,H,W,3) are right where float32 can tell classes apart."""
    normalised = (image - torch.tensor(model.card.mean)) / torch.tensor(model.card.std)
    exact, error = rounding(model, normalised.permute(0, 3, 1, 2).contiguous())
    first, second = exact[0].topk(2, dim=0).values
    # Either score may be off by the error.
    sure = (first - second > 2 * error).numpy()
    assert sure.mean() > 0.9
    assert np.array_equal(np.asarray(labels)[sure], exact[0].argmax(0).numpy()[sure])


@pytest.fixture
def pixels():
    """Return a function: height, width, batch -> random pixels uint8 (B,H,W,3)."""

    def draw(height, width, batch=1):
        generator = torch.Generator().manual_seed(height * width)
        return torch.randint(
            0, 256, (batch, height, width, 3), dtype=torch.uint8, generator=generator
        )

    return draw


@pytest.fixture
def randomised():
    """Return a function that draws every parameter and statistic of a model, gamma too."""

    def draw(model, seed=0):
        generator = torch.Generator().manual_seed(seed)
        _draw(model, generator)
        return model

    return draw
