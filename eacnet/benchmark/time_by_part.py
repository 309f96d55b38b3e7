"""Which part of a network the time goes to."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from eacnet.benchmark.published_form import reference_predict
from eacnet.inference.folded import Folded
from eacnet.inference.postprocess import Postprocess
from eacnet.models import EACNet

PARTS = ("input", "backbone", "classifier", "calibration", "upsampling and argmax")
WARM_UP = 2
PASSES = 7


class Stopwatch:
    """Splits a pass into laps; the device has finished its work at the end of each.

    Args:
        synchronise: waits until the device has finished, such as `torch.cuda.synchronize`.
    """

    def __init__(self, synchronise: Callable[[], None] = lambda: None) -> None:
        self._synchronise = synchronise
        self.start()

    def start(self) -> None:
        """Begin a pass."""
        self.laps: dict[str, float] = defaultdict(float)
        self._synchronise()
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        """Count what has passed since the last lap, or the start, to `part`."""
        self._synchronise()
        now = time.perf_counter()
        self.laps[part] += now - self._last
        self._last = now

    def before(self, module: nn.Module, part: str) -> None:
        """End `part` whenever `module` begins."""
        module.register_forward_pre_hook(lambda *_: self.lap(part))

    def after(self, module: nn.Module, part: str) -> None:
        """End `part` whenever `module` ends."""
        module.register_forward_hook(lambda *_: self.lap(part))


@torch.inference_mode()
def time_by_part(
    model: EACNet, form: str, image: np.ndarray, device: torch.device
) -> dict[str, float]:
    """Measure which share of a pass in fp32 goes to each part of the network.

    Args:
        model: in evaluation mode, with its card, on the CPU; its modules get hooks.
        form: "published", or "eager" as `Predictor` runs it.
        image: uint8 (H,W,3).
        device: where.

    Returns:
        Part, of PARTS -> its share of the sum of the medians, in percent.
    """
    watch = Stopwatch(torch.cuda.synchronize if device.type == "cuda" else lambda: None)
    run = {"published": _published, "eager": _eager}[form](model, device, watch)
    times: dict[str, list[float]] = {part: [] for part in PARTS}
    for number in range(WARM_UP + PASSES):
        watch.start()
        run(image)
        watch.lap(PARTS[-1])
        if number >= WARM_UP:
            for part in PARTS:
                times[part].append(watch.laps[part])
    medians = {part: float(np.median(laps)) for part, laps in times.items()}
    return {part: 100 * median / sum(medians.values()) for part, median in medians.items()}


def _published(model: EACNet, device: torch.device, watch: Stopwatch) -> Callable[[Any], Any]:
    model.to(device)
    watch.before(model.backbone, "input")
    watch.after(model.backbone, "backbone")
    watch.after(model.classifier, "classifier")
    upsample = model.upsample

    def watched(*arguments: Any) -> torch.Tensor:
        watch.lap("calibration")
        return upsample(*arguments)

    model.upsample = watched
    return lambda image: reference_predict(model, image)


def _eager(model: EACNet, device: torch.device, watch: Stopwatch) -> Callable[[Any], Any]:
    folded, postprocess = Folded(model).to(device), Postprocess(model, device, "fp32")
    network = folded.network
    guided = model.calibration.guide is not None
    watch.before(network, "input")
    watch.before(_first(network, "network.1" if guided else "1"), "backbone")
    if guided:
        watch.before(_first(network, "guide"), "classifier")
    watch.after(network, "calibration" if guided else "classifier")
    calibrated = postprocess.calibrated

    def watched(scores: torch.Tensor) -> torch.Tensor:
        result = calibrated(scores)
        watch.lap("calibration")
        return result

    postprocess.calibrated = watched

    def run(image: np.ndarray) -> np.ndarray:
        coarse = folded(torch.from_numpy(image[None]).to(device))
        return postprocess(coarse, image.shape[:2]).cpu().numpy()

    return run


def _first(network: nn.Module, part: str) -> nn.Module:
    """Return what begins a part of a network, named as before it was folded."""
    if isinstance(network, fx.GraphModule):
        calls = (node.target for node in network.graph.nodes if node.op == "call_module")
        part = next(name for name in calls if name == part or name.startswith(f"{part}."))
    return network.get_submodule(part)
