"""What a reader is told about each figure: the rule behind it and what to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

from eacnet.evaluation.counts import EFFECT_BAND

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
        "class_gains": Caption(
            "Gain by class",
            "Difference in IoU with and without calibration, by class",
            "What calibration gains in IoU for each class, in percentage points: against the same"
            " backbone trained without it, or, where the ablation has no such pair, against this"
            " network's own coarse scores. Lines are 95 % intervals from a paired bootstrap over"
            " the images; where one holds 0, the bar is hatched.",
        ),
        "confusion": Caption(
            "Confusion",
            "Confusion matrix in percent of the true class",
            "Of the pixels of a true class (row), the percentage that the network gives to each"
            " class (column). Shares under 0.5 % are not written; a grey row is a class that the"
            " evaluated frames do not show.",
        ),
        "examples": Caption(
            "Examples",
            "Images, ground truth, predictions and errors",
            "Chosen by rule, not by eye: all frames are ranked by image mIoU (over the classes in"
            " truth or prediction of that image), and evenly spaced ranks from the worst to the"
            f" best are shown. In the last column, right pixels are dimmed; errors{effect} are in"
            " colour.",
        ),
        "zooms": Caption(
            "Edges, enlarged",
            "Windows in which calibration corrects or breaks the most pixels",
            "Chosen by rule: the frames in which calibration corrects the most pixels within"
            f" {EFFECT_BAND} pixels of an edge, then as many in which it breaks the most; of each,"
            " the window of a quarter of its height and width that holds the most of them,"
            " near edges or not.",
        ),
        "attention": Caption(
            "Attention maps",
            "Where the calibration looks from one point of the worst, median and best frame",
            "The worst, the median and the best frame by image mIoU; in each, the position where"
            " calibration changes the probability of the coarse winner the most (cross), and what"
            " that position attends to, over the darkened frame: 1 is an even share, cells under a"
            " tenth of that are left clear.",
        ),
        "accuracy_speed": Caption(
            "Accuracy against speed",
            "mIoU over frames per second, one panel for each device",
            "One panel for each device, because frame rates of two devices do not compare. Ours:"
            " the mean mIoU of the ablation, and the frame rate at just that image size in the"
            " fastest fp32 runtime, from the 8-bit image to the label map. Published figures are"
            " quoted as their sources state them; scopes and runtimes differ and are rarely named.",
        ),
        "scaling": Caption(
            "Latency and memory",
            "Latency and peak memory over image size and batch",
            "How the time of a pass and the memory that it takes at most grow with the number of"
            " pixels and with the batch; both axes are logarithmic.",
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
