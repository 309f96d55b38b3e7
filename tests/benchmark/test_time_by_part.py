import numpy as np
import pytest
import torch
from torch import nn

from eacnet.benchmark import time_by_part as module
from eacnet.benchmark.published_form import reference_predict
from eacnet.benchmark.time_by_part import PARTS, Stopwatch, time_by_part


class Slow(nn.Module):
    """Does nothing for so many milliseconds by the clock, besides what `inner` does."""

    def __init__(self, inner, clock, milliseconds):
        super().__init__()
        self.inner, self.clock, self.milliseconds = inner, clock, milliseconds

    def forward(self, x):
        self.clock.now += self.milliseconds
        return self.inner(x)


class Clock:
    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "WARM_UP", 0)
    monkeypatch.setattr(module, "PASSES", 1)
    return clock


def test_laps_by_hand(clock):
    waited = []
    watch = Stopwatch(lambda: waited.append(clock.now))
    watch.start()
    for duration, part in ((2, "a"), (3, "b"), (4, "a")):
        clock.now += duration
        watch.lap(part)
    assert watch.laps == {"a": 6, "b": 3}
    assert waited[-3:] == [2, 5, 9]
    watch.start()
    assert watch.laps == {}


@pytest.mark.parametrize("calibration", ["pooled", "none"])
def test_shares_of_the_published_form(network, pixels, clock, calibration):
    """Modules that take 6, 3 and nothing else by the clock."""
    model = network("dab", calibration)
    model.backbone = Slow(model.backbone, clock, 6)
    model.classifier = Slow(model.classifier, clock, 3)
    image = pixels(16, 24)[0].numpy()
    before = reference_predict(model, image)
    found = time_by_part(model, "published", image, torch.device("cpu"))
    assert tuple(found) == PARTS
    assert found["backbone"] == pytest.approx(200 / 3)
    assert found["classifier"] == pytest.approx(100 / 3)
    assert np.array_equal(reference_predict(model, image), before)


@pytest.mark.parametrize(
    ("backbone", "calibration"),
    [("dab", "pooled"), ("resnet18", "pooled"), ("erfnet", "none"), ("dab", "edge")],
)
def test_shares_of_the_eager_form(network, pixels, clock, backbone, calibration, monkeypatch):
    """Time passes with each convolution: where they are is known of every network."""
    model = network(backbone, calibration)
    counts = {
        part: sum(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in own.modules())
        for part, own in (
            ("backbone", model.backbone),
            ("classifier", model.classifier),
            ("calibration", model.calibration),
        )
    }

    counts["calibration"] += calibration == "edge"  # one that is no layer
    assert calibration != "edge" or counts["calibration"] == 5

    def ticking(function):
        def run(*arguments, **others):
            clock.now += 1
            return function(*arguments, **others)

        return run

    for name in ("conv2d", "conv_transpose2d"):
        monkeypatch.setattr(torch.nn.functional, name, ticking(getattr(torch, name)))
    # The own kernels do the calibration's convolutions in a call that doesn't tick.
    monkeypatch.setattr("eacnet.inference.postprocess.kernels", lambda classes: None)
    found = time_by_part(model, "eager", pixels(32, 48)[0].numpy(), torch.device("cpu"))
    total = sum(counts.values())
    assert found["input"] == found["upsampling and argmax"] == 0
    for part, count in counts.items():
        assert found[part] == pytest.approx(100 * count / total), part
