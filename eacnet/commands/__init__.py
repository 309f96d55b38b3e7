"""What `eacnet <command>` does: one module a command.

A module has a docstring whose first line is the command's help, `add_arguments(parser)` and
`run(arguments)`. Importing it must be cheap: PyTorch is imported within `run`.
"""

import argparse


def image_size(text: str) -> tuple[int, int]:
    """Read "360x480" as (height, width)."""
    height, separator, width = text.lower().partition("x")
    if not (separator and height.isdecimal() and width.isdecimal() and int(height) * int(width)):
        raise argparse.ArgumentTypeError(f"{text!r} is not HEIGHTxWIDTH in pixels, such as 360x480")
    return int(height), int(width)
