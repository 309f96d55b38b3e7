"""What a reader is told about each figure: the rule behind it and what to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

# Figures made of pixels; every other one is also written as SVG, for print.
PIXELS = ("examples", "zooms", "attention")


@dataclass(frozen=True)
class Caption:
    """Heading of a figure, what stands for it where it can't be seen, and the text beside it."""

    title: str
    alternative: str
    text: str


def captions(
    calibrated: bool, validated_on: str | None, trained_on: Sequence[str]
) -> dict[str, Caption]:
    """Return the caption of every figure that there may be, in the order of a page.

    Args:
        calibrated: whether the main network has a calibration.
        validated_on: name of the split behind the training curves, None where there is none.
        trained_on: names of the splits that were trained on.
    """
    seen = ""
    if validated_on in trained_on:
        seen = (
            f" Split {validated_on} is part of the training data: its curve shows the fit, not how"
            " well the network generalises."
        )
    effect = ", and what calibration corrected or broke," if calibrated else ""
    return {
        "training": Caption(
            "Training",
            "Loss and validation mIoU over the epochs",
            "Loss is the mean over the epoch's batches. A line is the mean over the seeds of one"
            f" calibration, the band around it their whole range.{seen}",
        ),
        "examples": Caption(
            "Examples",
            "Images, ground truth, predictions and errors",
            "Chosen by rule, not by eye: all frames are ranked by image mIoU (over the classes in"
            " truth or prediction of that image), and evenly spaced ranks from the worst to the"
            f" best are shown. In the last column, right pixels are dimmed; errors{effect} are in"
            " colour.",
        ),
    }


def gallery(names: Sequence[str], captions: dict[str, Caption]) -> list[str]:
    """Return a section of Markdown for each figure.

    Args:
        names: of the figures that lie in figures/.
        captions: as `captions` returns them.
    """
    sections = []
    for name, caption in captions.items():
        if name in names:
            text = caption.text
            if name not in PIXELS:
                text += f" For print: [SVG](figures/{name}.svg)."
            image = f"![{caption.alternative}](figures/{name}.png)"
            sections.append(f"## {caption.title}\n\n{text}\n\n{image}\n")
    return sections
