"""Segment images and videos: label maps, overlays, class shares.

Of an image: a label map (PNG with a palette), an overlay, and JSON with the share of each class in
percent and the latency. Of a video: an overlay video without sound and a line of JSON for each
frame. Results are named after their input and lie in the folder given with --output.
"""

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eacnet.commands import image_size
from eacnet.errors import InputError, explained, one_line
from eacnet.files import check_folder, real
from eacnet.pretrained.shipped import choose_model

if TYPE_CHECKING:
    import numpy as np


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="image, video, folder or glob pattern")
    add("--output", type=Path, default=Path("predictions"), help="folder (default: predictions)")
    add("--model", help="weights (default: the pipeline's, otherwise those that ship)")
    add("--side-by-side", action="store_true", help="also image and overlay, with a legend")
    add("--label-maps", action="store_true", help="also a label map of each frame of a video")
    add(
        "--size",
        type=image_size,
        metavar="HxW",
        help="predict at this size (default: the image's own)",
    )
    add("--runtime", default="eager", help="as eacnet.Predictor's (default: eager)")
    add("--precision", default="fp32", help="as eacnet.Predictor's (default: fp32)")
    add("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    what = "images like the inputs, from which int8 takes its ranges and on which auto tries itself"
    add("--samples", nargs="+", default=[], metavar="IMAGE", help=f"{what}: files, folders, globs")


def run(arguments: argparse.Namespace) -> None:
    """Predict all inputs; go on after one that fails, and name it at the end.

    Raises:
        InputError: an input failed, a result would take the place of an input or of another
            program's file, or there is no network.
    """
    from eacnet.predict.sources import find_sources

    check_folder(arguments.output)
    sources, problems, left = find_sources(arguments.inputs, arguments.output)
    _tell_of(left)
    if not sources:
        raise InputError("; ".join(problems))
    if arguments.precision == "int8" and not arguments.samples:
        raise InputError(
            "--precision int8 takes its ranges from images like the inputs: name some dozen, or a "
            "folder of them, with --samples"
        )
    path, why = choose_model(arguments.model)

    import eacnet
    from eacnet.inference.auto import describe_choice
    from eacnet.predict.results import IMAGE_RESULTS, VIDEO_RESULTS, is_foreign
    from eacnet.predict.segment import Segmenter
    from eacnet.predict.write import Predictions
    from eacnet.progress import progress

    taken = {real(source.path) for source in sources}
    for source in sources:
        for suffix in VIDEO_RESULTS if source.is_video else IMAGE_RESULTS:
            result = arguments.output / source.result(suffix)
            if real(result) in taken:
                raise InputError(f"{result} is an input and would be overwritten; use --output")
            if is_foreign(result):
                raise InputError(
                    f"{result} is no result of eacnet's and would be overwritten; use --output"
                )

    samples = _samples(arguments)
    predictor = eacnet.Predictor(
        path,
        runtime=arguments.runtime,
        precision=arguments.precision,
        device=arguments.device,
        samples=samples,
    )
    model = predictor.model
    facts = {
        "model": str(path),
        "backbone": model.backbone_name,
        "calibration": model.calibration_name,
        "dataset": model.card.dataset,
        "runtime": predictor.runtime,
        "precision": predictor.precision,
        "device": str(predictor.device),
        "samples": len(samples),
        "predicted_at": arguments.size,
    }
    said = (
        f"{path}, {why}: {model.backbone_name} with calibration {model.calibration_name},"
        f" {model.num_classes} classes of {model.card.dataset or 'an unnamed dataset'},"
        f" {predictor.runtime} {predictor.precision} on {predictor.device}"
    )
    print(one_line(said))
    if predictor.choice:
        on = "" if samples else " (on drawn scenes, without int8; better: --samples)"
        print(f"auto picked {describe_choice(predictor.choice)}{on}")
    predictions = Predictions(
        Segmenter(predictor, arguments.size),
        model.card.classes,
        arguments.output,
        facts,
        arguments.side_by_side,
        arguments.label_maps,
    )
    done = 0
    for source in progress(sources, desc="predict", unit="file"):
        try:
            if source.is_video:
                damaged = predictions.video(source)
                if damaged:
                    problems.append(f"{source.path}: {damaged} damaged frames, left out or patched")
            else:
                predictions.image(source)
            done += 1
        except (InputError, OSError, UnicodeError) as error:
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE):
                raise
            problems.append(explained(error) or repr(error))
    print(one_line(f"{done} of {len(sources)} files -> {arguments.output}"))
    if problems:
        print(*map(one_line, problems), sep="\n", file=sys.stderr)
        raise InputError(f"{len(problems)} of the inputs had a problem, named above")


def _tell_of(left: Sequence[Path], where: str = "") -> None:
    """Say on stderr which files are not taken: how many, and the first of them."""
    if left:
        some = ", ".join(map(one_line, left[:3])) + (", ..." if len(left) > 3 else "")
        print(f"{where}not taken are {len(left)} files by their suffix: {some}", file=sys.stderr)


def _samples(arguments: argparse.Namespace) -> "list[np.ndarray]":
    """Read the samples, at most SAMPLES of them and as the network will see them."""
    from eacnet.benchmark.samples import spread
    from eacnet.data.images import read_image, resized
    from eacnet.predict.sources import find_sources

    sources, problems, left = find_sources(arguments.samples, arguments.output)
    paths = [source.path for source in sources if not source.is_video]
    if arguments.samples and not paths:
        problems = problems or ["videos, where images are needed"]
    if problems:
        raise InputError(f"--samples {'; '.join(problems)}")
    _tell_of([*left, *(source.path for source in sources if source.is_video)], "--samples: ")
    images = [read_image(paths[index]) for index in spread(len(paths))]
    return [resized(image, arguments.size or image.shape[:2]) for image in images]
