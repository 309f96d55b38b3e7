import json

import numpy as np
import pytest

from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details
from eacnet.report.results import read_results

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
    return {**spread(mean, std), "images": images, "seeds": seeds, "significant": significant}


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


@pytest.fixture
def ablation():
    """One backbone with two seeds and a missing score, another with a single seed."""
    names = ("miou", "pixel_accuracy", "band_miou_3", "band_miou_5", "band_miou_9", "boundary_f1")
    plain = {name: spread(50.0, 0.4) for name in names if name != "boundary_f1"}
    better = {name: spread(51.25, 0.3) for name in names}
    settled = difference(1.25, [0.5, 2.0], 0.1, [0.35, 2.15])
    chance = difference(-0.5, [-1.5, 0.5], significant=False)
    iou = {"road": spread(75.0, 1.0), "sky": spread(50.0, 2.0)}
    won = {"won": 2, "lost": 0, "tied": 0}
    bands = {"3": won, "5": won, "9": won, "outside": {"won": 0, "lost": 1, "tied": 1}}
    sky = difference(3.0, [-1.0, 7.0], 5.0, [-41.9, 47.9], False)
    groups = [
        ("dab", "none", [1, 2], plain, None, None, None, 0),
        ("dab", "pooled", [1, 2], better, {"miou": settled}, {"road": settled, "sky": sky}, bands,
         1_000_000),
        ("erf", "none", [1], {name: spread(60.0) for name in names}, None, None, None, 0),
        ("erf", "pooled", [1], {name: spread(59.5) for name in names}, {"miou": chance},
         {"road": chance}, bands, 1_000_000),
    ]  # fmt: skip
    return {
        "split": "test",
        "frames": 2,
        "bootstrap": {"resamples": 10_000, "seed": 1, "level": 0.95},
        "groups": [
            {
                "backbone": backbone,
                "calibration": calibration,
                "seeds": seeds,
                "parameters": 757_784,
                "macs": {"height": 360, "width": 480, "total": 4_500_000_000, "attention": macs},
                "scores": scores,
                "class_iou": iou,
                "gain": gain,
                "class_gain": class_gain,
                "bands": bands,
            }
            for backbone, calibration, seeds, scores, gain, class_gain, bands, macs in groups
        ],
    }


@pytest.fixture
def evaluation():
    """Return a function: calibrated or not -> evaluation.json."""

    def make(calibrated):
        source = {"split": "test", "data": "ab" * 32, "device": "CPU", "threads": 2}
        source |= {"code": CODE, "versions": VERSIONS}
        return {**details(counts(calibrated), CLASSES), "provenance": source}

    return make


@pytest.fixture
def results(ablation, evaluation, tmp_path):
    """Return a function: calibrated or not, and files that differ -> the results of an experiment.

    The files lie in reports/camvid<variant>; a test may change one and read the folder anew.
    """

    def make(calibrated=True, variant="", data=None, validated_on="val", published=HEAD, **files):
        folder = tmp_path / f"reports/camvid{variant}"
        training = {
            "backbone": "dab",
            "calibration": "pooled" if calibrated else "none",
            "seed": 7,
            "recipe": RECIPE,
            "trained_on": ["train", "val"],
            "data": "ab" * 32,
            "device": "GPU",
            "threads": 8,
            "processes": 2,
            "code": CODE,
            "versions": VERSIONS,
        }
        content = {
            "ablation": ablation,
            "main/training": training,
            "main/evaluation": evaluation(calibrated),
            "main/attention": attention(calibrated),
            **{name.replace("__", "/"): content for name, content in files.items()},
        }
        machines = content.pop("speed", [machine("GPU A"), machine("CPU B")])
        for group in content["ablation"]["groups"]:
            for seed in group["seeds"]:
                cell = f"cells/{group['backbone']}-{group['calibration']}-{seed}"
                content.setdefault(f"{cell}/training", training)
                content.setdefault(f"{cell}/evaluation", content["main/evaluation"])
        for name, one in content.items():
            write_json(folder / f"{name}.json", one)
        for run in {(folder / name).parent for name in content if "/" in name}:
            (run / "training.csv").write_text(CURVE)
        counts(calibrated).save(folder / "main/counts.npz")
        for index, one in enumerate(machines):
            write_json(tmp_path / f"reports/speed/{index}.json", one)
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data/published.csv").write_text(published)
        return read_results(folder, data or DATA, validated_on)

    return make


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
