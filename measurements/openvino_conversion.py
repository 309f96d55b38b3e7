"""Runtime `openvino` beside OpenVINO's own conversion of the plain network, on the same weights.

The conversion traces the network as PyTorch runs it (NCHW, norms apart, mean subtracted outside,
full-size logits and argmax inside) with OpenVINO's default graph passes: once to the coarse
scores, once to the label map. The runtime is timed from the 8-bit image to the label map. All three
in turn, round by round; random weights, 19 classes. A share under 1: the runtime is faster.

    python measurements/openvino_conversion.py --size 512 1024 --precision bf16
    python measurements/openvino_conversion.py dab fast_scnn --calibration pooled
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from eacnet.benchmark.build import MEAN, Setup
from eacnet.benchmark.samples import DRAWN
from eacnet.config.names import BACKBONES
from eacnet.inference.predictor import Predictor
from eacnet.inference.runtimes.openvino import HINTS, core
from eacnet.machine import machine
from eacnet.models import EACNet
from eacnet.scenes import draw_scene


class Labels(nn.Module):
    """The label map of images, written as the published scripts do."""

    def __init__(self, model: EACNet) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Return class ids int64 (B,H,W) of images float32 (B,3,H,W)."""
        return self.model(images).argmax(1)


class Coarse(Labels):
    """The coarse scores alone, before calibration and upsampling."""

    def forward(self, images: Tensor) -> Tensor:
        """Return scores float32 (B,K,H/8,W/8) of images float32 (B,3,H,W)."""
        return self.model.coarse(images)


def converted(module: nn.Module, image: Tensor, precision: str) -> Callable[[], np.ndarray]:
    """Return one pass of OpenVINO's own conversion, on a fixed size."""
    compiler = core()  # before the first import of openvino: see there
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is what this measures, deprecated or not
        graph = openvino.convert_model(module.eval(), example_input=image, input=[*image.shape])
    options = {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = compiler.compile_model(graph, "CPU", options).create_infer_request()
    pixels = image.numpy()
    return lambda: next(iter(request.infer([pixels], share_inputs=True).values()))


def medians(runs: list[Callable[[], object]], rounds: int) -> list[float]:
    """Time functions in turn; the first two rounds don't count. Milliseconds."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds + 2):
        for run, taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            taken.append(1000 * (time.perf_counter() - start))
    return [statistics.median(taken[2:]) for taken in times]


def main() -> None:
    """Print a Markdown table, a network a row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("backbones", nargs="*", default=[*BACKBONES], metavar="BACKBONE")
    parser.add_argument("--calibration", default="none")
    parser.add_argument("--size", type=int, nargs=2, default=(512, 1024))
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    image = draw_scene(*arguments.size, 1)[0]
    pixels = torch.from_numpy(image - np.float32(MEAN)).permute(2, 0, 1)[None].contiguous()
    random = Setup(classes=19, seed=1, device="cpu", images=DRAWN)
    name, size = machine()["cpu"]["name"], "x".join(map(str, arguments.size))
    print(f"{name}, {torch.get_num_threads()} threads, {size}, {arguments.precision}; ms")
    print("| network | converted, coarse scores | converted, labels | runtime `openvino` | share |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for backbone in arguments.backbones:
        model = random.network(f"{backbone}-{arguments.calibration}")
        predict = Predictor(model, runtime="openvino", precision=arguments.precision, device="cpu")
        plain = converted(Labels(model), pixels, arguments.precision)
        coarse = converted(Coarse(model), pixels, arguments.precision)
        ours, bar = predict(image), plain()[0]
        agreement = float((ours == bar).mean())
        times = medians([coarse, plain, lambda predict=predict: predict(image)], arguments.rounds)
        share = f"{times[2] / times[1]:.2f}"
        figures = " | ".join(f"{each:.1f}" for each in times)
        print(f"| {backbone}-{arguments.calibration} | {figures} | {share} |", flush=True)
        if arguments.precision == "fp32" and agreement < 0.999:
            print(f"(labels agree on {100 * agreement:.2f} % of the pixels only)")


if __name__ == "__main__":
    main()
