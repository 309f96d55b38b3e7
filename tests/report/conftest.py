import pytest
from experiment import (
    CLASSES,
    CODE,
    CURVE,
    DATA,
    HEAD,
    RECIPE,
    VERSIONS,
    attention,
    counts,
    difference,
    machine,
    spread,
    write_json,
)

from eacnet.evaluation.results import details
from eacnet.report.results import read_results


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
                "gains": {"none": gain | {"class_iou": class_gain}} if gain else {},
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
        counts(calibrated).save(folder / "main/counts.json")
        for index, one in enumerate(machines):
            write_json(tmp_path / f"reports/speed/{index}.json", one)
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data/published.csv").write_text(published)
        return read_results(folder, data or DATA, validated_on)

    return make
