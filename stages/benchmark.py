"""Time the network that `model` describes, in eager PyTorch, one image at a time."""

from eacnet.errors import exit_on_error
from eacnet.files import read_json, write_json
from eacnet.params import load_params
from stages.layout import ENVIRONMENT, SPEED


def main() -> None:
    """Read params.yaml and reports/environment.json, write reports/speed/<device>.json."""
    params = load_params()
    environment = read_json(ENVIRONMENT)

    import psutil
    import torch

    from eacnet.models import build_model
    from eacnet.provenance import provenance
    from eacnet.runtime.environment import device_name, pick_device, slug, usable_cores
    from eacnet.runtime.latency import measure, scopes, summarise

    # Other work on the machine slows ours down; near 0, there was none.
    load = round(psutil.getloadavg()[0], 1)
    how, network = params.benchmark, params.model
    device = pick_device(params.hardware.accelerator)
    on_gpu = device.type == "cuda"
    name = device_name(device) if on_gpu else f"{device_name(device)}, {usable_cores()} cores"

    # The weights are random: speed does not depend on them.
    torch.manual_seed(params.seed)
    model = build_model(network.backbone, how.classes, network.calibration)
    model.to(device, memory_format=torch.channels_last).eval()
    torch.backends.cudnn.benchmark = True
    with torch.inference_mode():
        entries = {
            (height, width, scope): run
            for height, width in how.sizes
            for scope, run in scopes(model, height, width, device).items()
        }
        synchronise = torch.cuda.synchronize if on_gpu else lambda: None
        times = measure(entries, how.rounds, how.warmup, synchronise)
    rows = []
    for (height, width, scope), durations in times.items():
        figures = {key: round(value, 3) for key, value in summarise(durations).items()}
        row = {"height": height, "width": width, "scope": scope, **figures}
        rows.append({**row, "rounds": len(durations)})
    result = {
        "machine": {**environment, "device": name},
        "network": {
            "backbone": network.backbone,
            "calibration": network.calibration,
            "weights": "random",
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
        },
        "classes": how.classes,
        "batch": 1,
        "precision": "fp32",
        # PyTorch's default: on Ampere and later, convolutions of float32 run in TF32.
        "tf32_convolutions": on_gpu
        and torch.backends.cudnn.allow_tf32
        and torch.cuda.get_device_capability(device) >= (8, 0),
        "runtime": "eager",
        "memory_format": "channels_last",
        "batch_norm_folded": False,
        "load_average_before": load,
        "rows": rows,
        "provenance": provenance(
            seed=params.seed, device=device_name(device), threads=torch.get_num_threads()
        ),
    }
    write_json(SPEED / f"{slug(name)}.json", result)


if __name__ == "__main__":
    exit_on_error(main)
