"""What a figure of the report is: its drawing and, beside it, what a reader is told about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from eacnet.report.results import Results

if TYPE_CHECKING:
    from eacnet.report.figures.attention_maps import AttentionView
    from eacnet.report.figures.examples import Example

Draw = Callable[[Results, "Pictures"], Figure | None]
Text = str | Callable[[Results], str]


@dataclass(frozen=True)
class Pictures:
    """What the main network makes of chosen frames; no zooms or attention without calibration."""

    examples: list["Example"] = field(default_factory=list)
    zooms: list["Example"] = field(default_factory=list)
    attention: list["AttentionView"] = field(default_factory=list)


@dataclass(frozen=True)
class Drawing:
    """A figure of the report.

    Attributes:
        name: what its files are called.
        title: its heading.
        alternative: what stands for it where it can't be seen.
        text: the rule behind it and what to look at, or what tells that from the results.
        draw: makes it, or None where there is nothing to show.
        pixels: it is made of pixels; every other one is also written as SVG, for print.
    """

    name: str
    title: str
    alternative: str
    text: Text
    draw: Draw
    pixels: bool = False

    def caption(self, results: Results) -> str:
        """Return the text beside it."""
        return self.text if isinstance(self.text, str) else self.text(results)


def drawing(
    name: str, title: str, alternative: str, text: Text, pixels: bool = False
) -> Callable[[Draw], Drawing]:
    """Make a Drawing of the function that draws it."""
    return lambda draw: Drawing(name, title, alternative, text, draw, pixels)
