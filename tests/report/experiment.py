"""An experiment to report on: its result files, made by hand."""

import json

import numpy as np

from eacnet.evaluation.counts import Counts

CLASSES = [
    {"name": "road", "category": "flat", "color": [128, 64, 128]},
    {"name": "sky", "category": "sky", "color": [70, 130, 180]},
    {"name": "train", "category": "vehicle", "color": [0, 80, 100]},
]
CODE = {"commit": "0123456789abcdef" * 2, "modified": []}
VERSIONS = {"python": "3.11.7", "torch": "2.15.0"}
RECIPE = {"epochs": 1000, "batch": 16, "crop": [360, 480], "loss": {"name": "ohem", "keep": 0.0625}}
SPLIT = {"frames": 2, "sha256": "ab", "ids": ["a", "b"]}
DATA = {
    "dataset": "camvid",
    "protocol": "11 classes",
    "size": [360, 480],
    "classes": CLASSES,
    "splits": {"train": SPLIT, "val": SPLIT, "test": SPLIT},
}
CURVE = "epoch,loss,lr,val_miou\n1,2.5,0.001,\n2,1.5,0.0005,40.5\n"
HEAD = "method,dataset,split,miou_percent,fps,input_height,input_width,device,params_millions,"
HEAD += "pretraining,source\n"


def spread(mean, std=None):
    return {"mean": mean, "std": std}


def difference(mean, images, std=None, seeds=None, significant=True):
    """Return a gain; `seeds` is its interval over several seeds, with which it is judged."""
    gain = {**spread(mean, std), "images": images, "seeds": seeds}
    if seeds is None:
        return gain | dict.fromkeys(("joint", "p", "holm", "detectable", "significant"))
    judged = {"joint": [images[0] - 1, images[1] + 1], "p": 0.01, "holm": 0.02, "detectable": 0.75}
    return gain | judged | {"significant": significant}


def counts(calibrated):
    """Two frames; the class train is nowhere. Half of the pixels lie in the bands."""
    confusion = np.array([[[40, 10, 0], [0, 20, 0], [0, 0, 0]], [[20, 10, 0], [0, 0, 0], [0] * 3]])
    coarse = np.array([[[30, 20, 0], [0, 20, 0], [0, 0, 0]], [[20, 10, 0], [0, 0, 0], [0] * 3]])
    boundary = np.zeros((2, 3, 4), np.int64)
    boundary[:, 0] = [1, 2, 3, 4]  # F1 = 0.6
    bands, coarse_bands = (np.stack([c // 2] * 3, 1) for c in (confusion, coarse))
    if not calibrated:
        return Counts(confusion, bands, boundary)
    effect = np.array([[[40, 12, 10, 0], [10, 0, 0, 0]], [[20, 3, 0, 0], [30, 5, 0, 0]]])
    return Counts(confusion, bands, boundary, coarse, coarse_bands, effect)


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def timed(network, form, median, **others):
    """Return a row of reports/speed: FPS follow from the median, other figures are the same."""
    backbone, _, calibration = network.partition("-")
    row = {"network": network, "backbone": backbone, "calibration": calibration or "none"}
    row |= {"form": form, "precision": "fp32", "height": 512, "width": 1024, "batch": 1}
    row |= {"scope": "label map", "runtime": form, "folded": form != "published"}
    row |= {"median_ms": median, "p5_ms": median - 1, "p95_ms": median + 1.25, "fps": 1000 / median}
    row |= {"peak_memory_mb": 80.4, "parameters": 757_784, "macs": 10_900_000_000}
    row |= {
        "attention_macs": 2_500_000_000,
        "limit_ms": 106.34,
        "share_of_limit": 0.53,
        "agreement": 0.99995,
    }
    return row | {"rounds": 20, "reason": None} | others


def machine(name, plan="full"):
    """Return a file of reports/speed."""
    nothing = ("median_ms", "p5_ms", "p95_ms", "fps", "peak_memory_mb", "share_of_limit")
    nothing = dict.fromkeys((*nothing, "agreement", "runtime", "folded"))
    large = {"height": 1024, "width": 2048}
    shares = {"backbone": 75.0, "calibration": 25.0}
    vino = {"network": "dab-pooled", "form": "openvino", "precision": "bf16"}
    return {
        "machine": {"device": name},
        "plan": plan,
        "classes": 19,
        "weights": "random",
        "load_average_before": 0.1,
        "limits": {"fp32_gflops": 205.0, "bf16_gflops": 850.4},
        "rows": [
            timed("dab-pooled", "published", 50.0, **large)
            | {**nothing, "rounds": 0, "reason": "out of memory"},
            timed("dab-pooled", "published", 40.0),
            timed("dab-pooled", "auto", 8.0, runtime="compile"),
            timed("lraspp", "eager", 20.0),
        ],
        "scaling": [],
        "modules": [{**timed("dab-pooled", "eager", 8.0), "shares": shares}],
        "skipped": [{**vino, "reason": "runtime openvino is not installed"}],
        "provenance": {"threads": 2},
    }


def attention(calibrated):
    """Return attention.json."""
    if not calibrated:
        return {"calibration": "none"}
    figures = {"entropy_nats": 1.0, "entropy_share": 0.5, "distance_px": 90.4}
    figures["distance_px_uniform"] = 120.0
    return {
        "calibration": "pooled",
        "gamma": 0.12345,
        "frames": 2,
        "positions": {"height": 45, "width": 60, "keys": 1000},
        **figures,
        "per_class": {
            "road": {"positions": 0.75, **figures},
            "sky": {"positions": 0.25, **figures},
            "train": None,
        },
        "change": 0.25,
        "change_everywhere_alike": 0.4,
    }
