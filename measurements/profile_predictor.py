"""Where the time of a predictor goes: by kind of layer and kernel, then the postprocess.

Medians over passes on one drawn street scene. Layers are timed by OpenVINO or PyTorch itself, which
costs some time of its own; then come whole passes without, and what their multiply-accumulates
would take at the highest rate of matrix products before and behind them. dab with pooled
calibration and 19 classes unless a model file is named.

    python measurements/profile_predictor.py --runtime openvino --precision bf16 --size 512 1024
    python measurements/profile_predictor.py --runtime eager --layers 12
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from eacnet.benchmark.build import Setup
from eacnet.benchmark.matmul_rate import matmul_rates
from eacnet.benchmark.samples import DRAWN
from eacnet.inference.folded import Folded
from eacnet.inference.postprocess import Postprocess
from eacnet.inference.predictor import Predictor
from eacnet.inference.runtimes import DTYPES, open_runtime
from eacnet.machine import machine
from eacnet.models import EACNet, load_model
from eacnet.models.complexity import complexity
from eacnet.scenes import draw_scene

CPU = torch.device("cpu")
Profile = dict[tuple[str, str], list[float]]  # kind, kernel -> milliseconds of each such layer


def of_openvino(model: EACNet, precision: str, images: list[np.ndarray], passes: int) -> Profile:
    """Profile the layers of the network that OpenVINO compiled for the last image's size."""
    from eacnet.inference.runtimes.openvino import compiler

    pixels = images[-1][None]
    compiled = compiler(model, precision, CPU, images[:-1], profiled=True)
    request = compiled(pixels.shape).create_infer_request()
    layers: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for _ in range(passes):
        request.infer([pixels], share_inputs=True)
        for layer in request.profiling_info:
            key = (layer.node_type, layer.exec_type, layer.node_name)
            layers[key].append(1000 * layer.real_time.total_seconds())
    kinds: Profile = defaultdict(list)
    for (kind, kernel, _), times in layers.items():
        if max(times) > 0:  # fused layers take no time of their own
            kinds[kind, kernel].append(statistics.median(times))
    return kinds


@torch.inference_mode()
def of_eager(model: EACNet, precision: str, images: list[np.ndarray], passes: int) -> Profile:
    """Profile PyTorch's operations in the folded network; the mean, for there is no median."""
    folded = Folded(model, DTYPES[precision]).to(memory_format=torch.channels_last)
    pixels = torch.from_numpy(images[-1][None])
    folded(pixels)
    with profile(activities=[ProfilerActivity.CPU]) as record:
        for _ in range(passes):
            folded(pixels)
    return {
        (event.key, ""): [event.self_cpu_time_total / 1000 / event.count] * (event.count // passes)
        for event in record.key_averages()
    }


def median_ms(run: Callable[[], object], passes: int) -> float:
    """Time a function; the first two calls don't count."""
    times = []
    for _ in range(passes + 2):
        start = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[2:])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--runtime", choices=["openvino", "eager"], default="openvino")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--size", type=int, nargs=2, default=(512, 1024))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--passes", type=int, default=15)
    parser.add_argument("--layers", type=int, default=20, help="kinds of layers shown")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    random = Setup(classes=19, seed=1, device="cpu", images=DRAWN)
    model = load_model(arguments.model) if arguments.model else random.network("dab-pooled")
    images = [draw_scene(*arguments.size, seed)[0] for seed in (2, 3, 1)]  # two to quantise with
    chosen = arguments.runtime, arguments.precision
    run = {"openvino": of_openvino, "eager": of_eager}[arguments.runtime]
    kinds = run(model, arguments.precision, images, arguments.passes)
    postprocess = Postprocess(model, CPU, arguments.precision)
    with torch.inference_mode():
        backbone = open_runtime(chosen[0], model, chosen[1], CPU, images[:-1])
        scores = backbone(torch.from_numpy(images[-1][None]))
        calibration = median_ms(lambda: postprocess.calibrated(scores), arguments.passes)
        labels = median_ms(lambda: postprocess(scores, tuple(arguments.size)), arguments.passes)
    predict = Predictor(
        model, runtime=chosen[0], precision=chosen[1], device="cpu", samples=images[:-1]
    )
    height, width = arguments.size
    before = matmul_rates(CPU)
    whole = median_ms(lambda: predict(images[-1]), arguments.passes)
    after = matmul_rates(CPU)
    print(
        f"{machine()['cpu']['name']}, {arguments.threads} threads, {model.backbone_name} "
        f"{model.calibration_name}, {' '.join(chosen)}, {height}x{width}"
    )
    print(f"{'ms':>8} {'%':>5} {'layers':>6}")
    total = sum(map(sum, kinds.values())) + labels
    ranked = sorted(kinds.items(), key=lambda item: -sum(item[1]))
    rows = [(sum(ms), len(ms), " ".join(kind)) for kind, ms in ranked[: arguments.layers]]
    rest = ranked[arguments.layers :]
    rows.append((sum(sum(ms) for _, ms in rest), sum(len(ms) for _, ms in rest), "all others"))
    rows.append((calibration, 1, f"calibration ({postprocess.attention_kernel})"))
    rows.append((labels - calibration, 1, "upsampling and argmax"))
    for ms, count, kind in rows:
        print(f"{ms:8.2f} {100 * ms / total:5.1f} {count:6} {kind}")
    print(f"{total:8.2f} 100.0        sum")
    print(f"{whole:8.2f}              a whole pass, not profiled")
    rate = max(rates.get(f"{arguments.precision}_gflops") or 0 for rates in (before, after))
    if rate:
        least = 2e-6 * complexity(model, height, width).macs / rate
        print(
            f"{least:8.2f}              its multiply-accumulates at the rate of matrix products, "
            f"{rate:.0f} GFLOP/s: {100 * least / whole:.0f} % of the pass"
        )


if __name__ == "__main__":
    main()
