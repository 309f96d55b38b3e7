"""Files of predictions scored as the Cityscapes benchmark does: IoU and iIoU, read from PNGs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eacnet.data.images import read_ids, read_instances
from eacnet.datasets.cityscapes import DATASET, INSTANCE_SIZES, INSTANCES, LABELS
from eacnet.datasets.labels import IGNORED, lookup, trained
from eacnet.datasets.listing import Frame, list_frames, take
from eacnet.errors import InputError
from eacnet.evaluation import scores
from eacnet.evaluation.instances import InstanceCounts
from eacnet.progress import progress


def scorable_frames(raw: Path, split: str) -> list[Frame]:
    """Return the frames of a split of Cityscapes that has labels and instance files.

    Raises:
        InputError: a frame has no label or no instance file, or all label files are dummies.
    """
    frames = take(list_frames(DATASET, raw), DATASET, raw, [split])[split]
    for frame in frames:
        path = _instance_file(frame)
        if not path.is_file():
            raise InputError(
                f"{path} is missing, and iIoU is scored by it; gtFine_trainvaltest.zip has it"
            )
    train_ids, _ = lookup(LABELS)
    if all((train_ids[read_ids(frame.labels)] == IGNORED).all() for frame in frames):
        remedy = DATASET.withheld.get(split, "check its label files")
        raise InputError(f"every pixel of split {split!r} in {raw} is ignored; {remedy}")
    return frames


def score_files(frames: Sequence[Frame], prediction: Callable[[Frame], Path]) -> dict[str, Any]:
    """Score label-id PNGs, as `scorable_frames` found the truth for them.

    Args:
        frames: of Cityscapes.
        prediction: where the prediction for a frame is.

    Returns:
        IoU and iIoU of classes and of categories, and the mean of each, in percent, rounded to 4
        decimals; None where nothing is to be scored.

    Raises:
        InputError: a file is unreadable, or label, instance and prediction file differ in size.
    """
    train_ids, _ = lookup(LABELS)
    classes = trained(LABELS)
    names, categories = zip(*((x.name, x.category) for x in classes), strict=True)
    count = len(classes)
    confusion = np.zeros((count, count), np.int64)
    instances = InstanceCounts(LABELS, INSTANCE_SIZES, INSTANCES)
    for frame in progress(frames, desc="score", unit="frame"):
        paths = frame.labels, prediction(frame), _instance_file(frame)
        truth, found = (train_ids[read_ids(path)] for path in paths[:2])
        things = read_instances(paths[2])
        if not truth.shape == found.shape == things.shape:
            raise InputError(f"{', '.join(map(str, paths))} differ in size")
        valid = truth != IGNORED
        if (found[valid] == IGNORED).any():
            raise InputError(f"{paths[1]} holds an id that no class is trained as")
        pairs = truth[valid].astype(np.int64) * count + found[valid]
        confusion += np.bincount(pairs, minlength=count * count).reshape(count, count)
        instances.add(found, things)
    tables = {
        "class_iou": dict(zip(names, scores.class_iou(confusion), strict=True)),
        "class_iiou": instances.class_iou(confusion),
        "category_iou": scores.category_iou(confusion, categories),
        "category_iiou": instances.category_iou(confusion),
    }
    means = {
        f"mean_{name}": _percent(scores.mean_of_present(np.array(list(table.values()))))
        for name, table in tables.items()
    }
    by_name = {
        name: {key: _percent(value) for key, value in table.items()}
        for name, table in tables.items()
    }
    return {"frames": len(frames), **means, **by_name}


def _instance_file(frame: Frame) -> Path:
    return frame.labels.with_name(frame.labels.name.replace("_labelIds", "_instanceIds"))


def _percent(fraction: float) -> float | None:
    return None if np.isnan(fraction) else round(100 * float(fraction), 4)
