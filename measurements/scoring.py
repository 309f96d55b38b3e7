"""What scoring a frame costs: processor seconds and memory, of all and of its parts.

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
from eacnet.datasets.labels import CITYSCAPES, lookup
from eacnet.evaluation.evaluate import count, evaluate, predict, predict_scores
from eacnet.models import build_model, load_model
from eacnet.scenes import draw_scene

CPU = torch.device("cpu")


def main() -> None:
    """Print a row for the network, for the label maps and for all, of which each is a part."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(1024, 2048))
    parser.add_argument("--frames", type=int, default=3)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = load_model(arguments.model) if arguments.model else build_model()
    scenes = [draw_scene(*arguments.size, seed) for seed in range(arguments.frames)]
    images = np.stack([image for image, _ in scenes])
    labels = lookup(CITYSCAPES)[0][np.stack([ids for _, ids in scenes])]
    options = {"mean": [100.0, 103.0, 106.0], "device": CPU}
    truth = torch.from_numpy(labels)
    (coarse, calibrated), *_ = predict(model, images[:1], **options)
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
    print(f"{arguments.frames} frames of {arguments.size[0]}x{arguments.size[1]}, each:")
    for name, work in works.items():
        memory = PeakMemory(CPU)
        memory.restart()
        start = time.process_time()
        work()
        seconds = (time.process_time() - start) / arguments.frames
        print(f"{name:16} {seconds:6.2f} CPU seconds {memory.megabytes():8.0f} MB at most")


if __name__ == "__main__":
    main()
