"""What `eacnet <command>` does: one module a command.

A module has a docstring whose first line is the command's help, `add_arguments(parser)` and
`run(arguments)`. Importing it must be cheap: PyTorch is imported within `run`.
"""

import argparse


def image_size(text: str) -> tuple[int, int]:
    """Read "360x480" as (height, width)."""
    height, separator, width = text.lower().partition("x")
    # Python reads no number of thousands of digits.
    size = [int(side[:30]) for side in (height, width) if side.isdecimal()]
    if not separator or len(size) < 2 or 0 in size:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is not HEIGHTxWIDTH in pixels, such as 360x480"
        )
    from PIL import Image

    # Where Pillow refuses an image file, so that no size is larger than an image may be.
    most = 2 * Image.MAX_IMAGE_PIXELS
    if size[0] * size[1] > most:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} exceeds the limit of {most} pixels an image; choose a smaller one"
        )
    return size[0], size[1]
