import numpy as np
import pytest

from eacnet.evaluation.counts import Counts
from eacnet.evaluation.results import details
from eacnet.reporting.page import Results

CLASSES = [
    {"name": "road", "category": "flat", "color": [128, 64, 128]},
    {"name": "sky", "category": "sky", "color": [70, 130, 180]},
    {"name": "train", "category": "vehicle", "color": [0, 80, 100]},
]
CODE = {"commit": "0123456789abcdef" * 2, "modified": []}
VERSIONS = {"python": "3.11.7", "torch": "2.15.0"}
RECIPE = {"epochs": 1000, "batch": 16, "crop": [360, 480], "loss": {"name": "ohem", "keep": 0.0625}}


def spread(mean, std=None):
    return {"mean": mean, "std": std}


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
    groups = [
        ("dab", "none", [1, 2], plain, None),
        ("dab", "pooled", [1, 2], better, {"miou": spread(1.25, 0.1)}),
        ("erf", "none", [1], {name: spread(60.0) for name in names}, None),
        ("erf", "pooled", [1], {name: spread(59.5) for name in names}, {"miou": spread(-0.5)}),
    ]
    keys = ("backbone", "calibration", "seeds", "scores", "gain")
    return {
        "groups": [dict(zip(keys, group, strict=True)) for group in groups],
        "split": "test",
        "frames": 2,
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
def results(ablation, evaluation):
    """Return a function: calibrated or not -> what a page tells."""

    def make(calibrated=True, **others):
        split = {"frames": 2, "sha256": "ab", "ids": ["a", "b"]}
        fields = {
            "variant": "",
            "data": {
                "dataset": "camvid",
                "protocol": "11 classes",
                "size": [360, 480],
                "classes": CLASSES,
                "splits": {"train": split, "val": split, "test": split},
            },
            "split": "test",
            "validated_on": "val",
            "training": {
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
            },
            "evaluation": evaluation(calibrated),
            "ablation": ablation,
            "speed": [machine("GPU A"), machine("CPU B")],
        }
        return Results(**{**fields, **others})

    return make


def machine(name):
    row = {"height": 512, "width": 1024, "median_ms": 8.0, "p5_ms": 7.0, "p95_ms": 9.256}
    row |= {"fps": 125.0, "rounds": 20}
    return {
        "machine": {"device": name},
        "network": {"backbone": "dab", "calibration": "pooled"},
        "rows": [{**row, "scope": "logits"}, {**row, "scope": "label map"}],
    }
