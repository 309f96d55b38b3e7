"""What int8 costs in mIoU on the evaluation split, against float32 and bfloat16.

Ranges come from the first images of the training split, scores from the evaluation split, so no
scored image has a say in them.

    python benchmarks/int8.py models/synthetic/main.safetensors data/prepared/synthetic
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from eacnet.data.store import open_store
from eacnet.evaluation.confusion import confusion_matrix
from eacnet.evaluation.scores import mean_iou
from eacnet.runtime.backends import precisions
from eacnet.runtime.predictor import Predictor


def main() -> None:
    """Print a row for each precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--train", default="train")
    parser.add_argument("--evaluate", default="test")
    parser.add_argument("--runtime", default="openvino")
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--frames", type=int, help="of the evaluation split; default: all")
    arguments = parser.parse_args()
    store = open_store(arguments.store)
    train, split = store.split(arguments.train), store.split(arguments.evaluate)
    samples = list(np.array(train.images[: arguments.samples]))
    labels = {}
    print(f"{'':6} {'mIoU %':>7} {'labels as fp32 %':>17}")
    for precision in precisions(arguments.runtime, torch.device("cpu")):
        predict = Predictor(
            arguments.model,
            runtime=arguments.runtime,
            precision=precision,
            device="cpu",
            samples=samples,
        )
        maps = [predict(np.array(image)) for image in split.images[: arguments.frames]]
        confusion = sum(
            confusion_matrix(
                torch.from_numpy(each)[None].long(),
                torch.from_numpy(np.array(truth))[None],
                store.num_classes,
            )
            for each, truth in zip(maps, split.labels, strict=False)
        )
        labels[precision] = np.stack(maps)
        same = np.mean(labels[precision] == labels["fp32"])
        print(f"{precision:6} {100 * mean_iou(confusion.numpy()):7.2f} {100 * same:17.3f}")


if __name__ == "__main__":
    main()
