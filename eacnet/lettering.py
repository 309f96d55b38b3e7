"""The font of what Pillow writes into pictures: class names in more than plain Latin letters."""

import importlib.util
from functools import cache
from pathlib import Path

from PIL import ImageFont

_DEJAVU = "mpl-data", "fonts", "ttf", "DejaVuSans.ttf"


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return a font of `size` pixels: Matplotlib's, or where that is not installed Pillow's own.

    Pillow's lacks the letters of most languages and draws boxes for them.
    """
    found = importlib.util.find_spec("matplotlib")
    path = Path(found.origin).parent.joinpath(*_DEJAVU) if found else None
    return (
        ImageFont.truetype(path, size) if path and path.exists() else ImageFont.load_default(size)
    )


def shortened(text: str, size: int, width: float) -> str:
    """Return `text`, cut with an ellipsis where it would be wider than `width` pixels."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
