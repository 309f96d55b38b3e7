"""Predict a split of Cityscapes as its benchmark takes it: label ids, official names, one zip.

Frames are predicted at their own size. Their PNGs lie in a folder beside the zip; a run that was
broken off goes on from there. With --score, the PNGs of a split whose labels are public are scored
as the official script does: IoU and iIoU of classes and categories.

    eacnet submit models/cityscapes/main.safetensors --split val --score --output out/val.zip
    eacnet submit models/cityscapes/main.safetensors --split test --output out/submission.zip
"""

import argparse
import sys
from pathlib import Path

from eacnet.config.params import load_params
from eacnet.errors import InputError, one_line
from eacnet.layout import RAW

MEANS = ("class_iou", "class_iiou", "category_iou", "category_iiou")
HEADINGS = ("IoU classes", "iIoU classes", "IoU categories", "iIoU categories")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("model", type=Path, help="weights of a network with the 19 classes of Cityscapes")
    add("--raw", type=Path, help="the dataset's folder (default: <raw in params.yaml>/cityscapes)")
    add("--split", choices=("test", "val"), default="test", help="default: test")
    add("--output", type=Path, default=Path("submission.zip"), help="default: submission.zip")
    add("--score", action="store_true", help="also score it, and write <output>.json")
    add("--runtime", default="eager", help="as eacnet.Predictor's (default: eager)")
    add("--device", default="auto", help="auto, cpu or cuda (default: auto)")


def run(arguments: argparse.Namespace) -> None:
    """Write the zip; with --score also the scores.

    Raises:
        InputError: there is no such network or frame, a frame can't be predicted, the split
            can't be scored, or a file that is not ours has a result's name.
    """
    target = arguments.output
    if target.suffix != ".zip":
        raise InputError(f"--output is {target}; it must end in .zip")
    if not arguments.model.is_file():
        raise InputError(f"{arguments.model}: there is no such file")

    from eacnet.files import check_file, check_folder, checksum, write_json

    check_file(target)
    check_folder(target.with_suffix(""))
    if arguments.score:
        check_file(target.with_suffix(".json"))

    import eacnet
    from eacnet.evaluation.official import scorable_frames, score_files
    from eacnet.predict.submission import Submission, check_classes, check_replaceable, find_images

    check_replaceable(target, arguments.score)
    raw = arguments.raw or _raw() / "cityscapes"
    images, remarks = find_images(raw, arguments.split)
    frames = scorable_frames(raw, arguments.split) if arguments.score else []
    model = eacnet.load_model(arguments.model)
    check_classes(model)
    if remarks:
        print(*map(one_line, remarks), sep="\n", file=sys.stderr)
    predictor = eacnet.Predictor(model, runtime=arguments.runtime, device=arguments.device)
    submission = Submission(images, target)
    network = f"{checksum(arguments.model)} {predictor.runtime} {predictor.precision}"
    made = submission.write(predictor, network)
    kept = f", {len(images) - made} of an earlier run" if made < len(images) else ""
    print(one_line(f"{made} frames of {arguments.split} predicted{kept} -> {target}"))
    if not arguments.score:
        return
    scores = score_files(frames, lambda frame: submission.png(frame.id))
    write_json(target.with_suffix(".json"), {"split": arguments.split, **scores})
    for heading, name in zip(HEADINGS, MEANS, strict=True):
        mean = scores[f"mean_{name}"]
        print(f"{heading:16} {'-' if mean is None else f'{mean:.2f} %':>8}")
    print(one_line(f"by class and category -> {target.with_suffix('.json')}"))


def _raw() -> Path:
    """Return where the pipeline of this folder has its datasets; where there is none, as usual."""
    return Path(load_params().raw) if Path("params.yaml").is_file() else RAW
