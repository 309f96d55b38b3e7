"""What int8 costs in mIoU on an evaluation split, against float32 and bfloat16.

Ranges come from frames spread over the training split, so no scored frame has a say in them.
Labels are compared with eager fp32, pixel by pixel.

    python measurements/int8.py models/synthetic/main.safetensors data/prepared/synthetic
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from eacnet.benchmark.samples import SAMPLES, spread
from eacnet.data.store import open_store
from eacnet.errors import exit_on_error
from eacnet.evaluation.confusion import confusion_matrix
from eacnet.evaluation.scores import mean_iou, pixel_accuracy
from eacnet.inference.predictor import Predictor
from eacnet.inference.runtimes import precisions
from eacnet.progress import progress


def main() -> None:
    """Print a row for each precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--train", default="train", help="split of the samples")
    parser.add_argument("--evaluate", default="test", help="split that is scored")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--frames", type=int, help="of the scored split; default: all")
    arguments = parser.parse_args()
    store = open_store(arguments.store)
    train, split = store.split(arguments.train), store.split(arguments.evaluate)
    samples = [np.array(train.images[i]) for i in spread(len(train.ids), arguments.samples)]
    scored = spread(len(split.ids), arguments.frames or len(split.ids))
    truth = torch.from_numpy(split.labels[scored])
    forms = [("eager", "fp32")]
    forms += [("openvino", each) for each in precisions("openvino", torch.device("cpu"))]
    reference = None
    print(f"{len(samples)} samples of {arguments.train}, {len(scored)} frames of", end=" ")
    print(
        f"{arguments.evaluate}\n{'':14} {'mIoU %':>7} {'accuracy %':>11} {'labels as fp32 %':>17}"
    )
    for runtime, precision in forms:
        form = f"{runtime} {precision}"
        predict = Predictor(
            arguments.model, runtime=runtime, precision=precision, device="cpu", samples=samples
        )
        frames = progress(scored, desc=form, unit="frame", leave=False)
        labels = torch.from_numpy(np.stack([predict(split.images[i]) for i in frames]))
        reference = labels if reference is None else reference
        confusion = confusion_matrix(labels, truth, store.num_classes).numpy()
        same = (labels == reference).double().mean()
        scores = 100 * mean_iou(confusion), 100 * pixel_accuracy(confusion), 100 * same
        print("{:14} {:7.2f} {:11.2f} {:17.3f}".format(form, *scores))


if __name__ == "__main__":
    exit_on_error(main)
