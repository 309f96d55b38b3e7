"""What scoring a frame costs: peak memory beyond network and frames, processor seconds by part.

Drawn street scenes are scored as stage evaluate does it, by dab with pooled calibration and 19
classes unless a model file is named: its random weights predict more edges than a trained network.

    python measurements/scoring.py                                # frames of 1024x2048
    python measurements/scoring.py --size 360 480 --frames 16
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from eacnet.benchmark.peak_memory import PeakMemory
from eacnet.datasets.cityscapes import LABELS
from eacnet.datasets.labels import lookup
from eacnet.evaluation.evaluate import count, evaluate, predict, predict_scores
from eacnet.machine import keep_freed_memory
from eacnet.models import build_model, load_model
from eacnet.scenes import draw_scene

CPU = torch.device("cpu")


def main() -> None:
    """Print the peak memory of all, then the seconds of its parts and of all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(1024, 2048))
    parser.add_argument("--frames", type=int, default=3)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = load_model(arguments.model) if arguments.model else build_model()
    scenes = [draw_scene(*arguments.size, seed) for seed in range(arguments.frames)]
    images = np.stack([image for image, _ in scenes])
    labels = lookup(LABELS)[0][np.stack([ids for _, ids in scenes])]
    options = {"mean": [100.0, 103.0, 106.0], "device": CPU}
    truth = torch.from_numpy(labels)
    keep_freed_memory()
    memory = PeakMemory(CPU)
    works = {
        "network": lambda: list(predict_scores(model, images, **options)),
        "and label maps": lambda: list(predict(model, images, **options)),
        "counts alone": lambda: [
            count(calibrated, one[None], model.num_classes, coarse) for one in truth
        ],
        "all": lambda: evaluate(
            model, images, labels, num_classes=model.num_classes, progress=False, **options
        ),
    }
    works["all"]()
    height, width = arguments.size
    print(f"{arguments.frames} frames of {height}x{width}: {memory.megabytes():.0f} MB; each:")
    (coarse, calibrated), *_ = predict(model, images[:1], **options)
    for name, work in works.items():
        start = time.process_time()
        work()
        print(f"{name:16} {(time.process_time() - start) / arguments.frames:6.2f} CPU seconds")


if __name__ == "__main__":
    main()
