"""Export a model file for other programs: ONNX, torch.export, OpenVINO.

The suffix of the target names the format: .onnx, .pt2, or .xml (OpenVINO, with a .bin beside it).
Height and width stay open, unless `--size` fixes them; in an open .pt2 they must be multiples of
what the network pads to. The file carries classes, colours and mean as metadata. It is run on the
spot, an open one at several sizes, and compared with the network; a file that differs is deleted.

    eacnet export model.safetensors model.onnx
    eacnet export model.safetensors model.onnx --uint8-input --label-map --size 512x1024
"""

import argparse
from pathlib import Path

from eacnet.commands import image_size
from eacnet.errors import InputError, one_line
from eacnet.files import check_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("model", type=Path, help="a model file (safetensors)")
    parser.add_argument("target", type=Path, help="the file to write: *.onnx, *.pt2 or *.xml")
    parser.add_argument(
        "--uint8-input",
        action="store_true",
        help="takes pixels, uint8 (batch, height, width, 3), and subtracts the mean itself; "
        "default: float32 (batch, 3, height, width), mean subtracted",
    )
    parser.add_argument(
        "--label-map",
        action="store_true",
        help="gives class ids, uint8 (batch, height, width); default: logits of all classes",
    )
    parser.add_argument(
        "--size",
        type=image_size,
        metavar="HxW",
        help="fix height and width of the images; default: left open",
    )


def run(arguments: argparse.Namespace) -> None:
    """Export, verify, and say in one line what the file takes and gives.

    Raises:
        InputError: the model file is missing or damaged, the format is unknown or needs a package
            that is not installed, an unrelated .bin is in the place of OpenVINO's, or the exported
            network does not agree.
    """
    from eacnet.inference.export import Signature, export_model
    from eacnet.models import load_model

    check_file(arguments.target)
    if arguments.target.suffix.lower() == ".xml":
        beside = arguments.target.with_suffix(".bin")
        check_file(beside)
        if beside.exists() and not arguments.target.exists():
            raise InputError(
                f"{beside} stands there without {arguments.target} and would be overwritten; move"
                " it away, or name another target"
            )
    signature = Signature(arguments.uint8_input, arguments.label_map, arguments.size)
    metadata = export_model(load_model(arguments.model), arguments.target, signature)
    said = (
        f"{arguments.target}: {metadata['backbone']}, calibration {metadata['calibration']}; "
        f"{metadata['input']} -> {metadata['output']}; sizes: {metadata['sizes']}; "
        f"verified at {'this size' if signature.size else 'several sizes'}"
    )
    print(one_line(said))
