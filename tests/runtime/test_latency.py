import statistics

import numpy as np
import pytest
import torch

from eacnet.errors import InputError
from eacnet.models import build_model
from eacnet.runtime import latency
from eacnet.runtime.latency import LABEL_MAP, LOGITS, measure, scopes, summarise

CPU = torch.device("cpu")


class Device:
    """A clock, and a device that works through its queue only when it is waited for."""

    def __init__(self):
        self.now = 100.0
        self.queue = []

    def perf_counter(self):
        return self.now

    def synchronise(self):
        self.now += sum(self.queue)
        self.queue.clear()


class Network:
    """Stands for a network: passes its image to `behave`, at 1/stride and at full size alike."""

    def __init__(self, behave):
        self.behave = behave

    def scores(self, images):
        return None, self.behave(images)

    def __call__(self, images):
        return self.behave(images)


@pytest.fixture
def device(monkeypatch):
    device = Device()
    monkeypatch.setattr(latency, "time", device)
    return device


def test_entries_take_turns():
    order = []
    entries = {name: lambda name=name: order.append(name) for name in "abc"}
    times = measure(entries, rounds=2, warmup=1)
    assert order == list("abcabcabc")
    assert {name: len(durations) for name, durations in times.items()} == {"a": 2, "b": 2, "c": 2}


def test_time_includes_what_the_device_has_yet_to_do_and_nothing_of_others(device):
    entries = {"short": lambda: device.queue.append(0.25), "long": lambda: device.queue.append(2.0)}
    device.queue.append(7.0)
    times = measure(entries, rounds=2, warmup=0, synchronise=device.synchronise)
    assert times == {"short": [250, 250], "long": [2000, 2000]}


def test_warm_up_is_not_timed(device):
    durations = iter([9.0, 8.0, 0.5, 0.25])
    times = measure(
        {"only": lambda: device.queue.append(next(durations))}, 2, 2, device.synchronise
    )
    assert times == {"only": [500, 250]}


def test_summary_is_that_of_the_standard_library():
    times = np.random.default_rng(0).gamma(2, 5, 37).tolist()
    twentieths = statistics.quantiles(times, n=20, method="inclusive")
    summary = summarise(times)
    assert summary["median_ms"] == pytest.approx(statistics.median(times))
    assert summary["p5_ms"] == pytest.approx(twentieths[0])
    assert summary["p95_ms"] == pytest.approx(twentieths[-1])
    assert summary["fps"] == pytest.approx(1000 / statistics.median(times))


def test_both_scopes_give_what_their_names_say():
    torch.manual_seed(0)
    model = build_model("dab", 5, "pooled").eval()
    torch.nn.init.constant_(model.calibration.gamma, 5.0)
    with torch.inference_mode():
        passes = scopes(model, 36, 52, CPU)
        logits, label_map = passes[LOGITS](), passes[LABEL_MAP]()
        full = model.upsample(logits, (36, 52))
    assert logits.shape == (1, 5, 5, 7)
    assert logits.dtype == torch.float32
    assert isinstance(label_map, np.ndarray)
    assert label_map.dtype == np.uint8
    assert np.array_equal(label_map, full[0].numpy().argmax(0))


def test_networks_are_fed_as_in_training():
    seen = []

    def behave(images):
        seen.append(images)
        return images

    passes = scopes(Network(behave), 24, 32, CPU)
    passes[LOGITS]()
    passes[LABEL_MAP]()
    for images in seen:
        assert images.shape == (1, 3, 24, 32)
        assert images.dtype == torch.float32
        assert images.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(*seen)
    assert -128 <= seen[0].min() < 0 < seen[0].max() <= 127


@pytest.mark.parametrize("scope", [LOGITS, LABEL_MAP])
def test_out_of_memory_names_the_size(scope):
    model = Network(lambda images: torch.empty(2**60))
    with pytest.raises(InputError, match=r"16x24 on cpu.*benchmark\.sizes"):
        scopes(model, 16, 24, CPU)[scope]()


def test_gpu_out_of_memory_names_the_size():
    def behave(images):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 4.00 GiB.")

    with pytest.raises(InputError, match="16x24"):
        scopes(Network(behave), 16, 24, CPU)[LOGITS]()


def test_other_errors_stay_what_they_are():
    model = Network(lambda images: torch.zeros(2) + torch.zeros(3))
    with pytest.raises(RuntimeError, match="size of tensor"):
        scopes(model, 16, 24, CPU)[LOGITS]()
