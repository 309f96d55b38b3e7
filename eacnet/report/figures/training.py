"""Training curves: what every network of the ablation did, epoch by epoch."""

from collections.abc import Mapping, Sequence

import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eacnet.report.figures.drawing import Pictures, drawing
from eacnet.report.figures.style import STYLE, calibration_look, new_figure
from eacnet.report.results import Network, Results


def _text(results: Results) -> str:
    text = (
        "Loss is the mean over the epoch's batches. A line is the mean over the seeds of one"
        " calibration, the band around it their whole range."
    )
    if results.validated_on in results.training["trained_on"]:
        text += (
            f" Split {results.validated_on} is part of the training data: its curve shows the fit,"
            " not how well the network generalises."
        )
    return text


@drawing("training", "Training", "Loss and validation mIoU over the epochs", _text)
def training(results: Results, pictures: Pictures) -> Figure | None:
    """Draw the curves of all networks of the ablation, and of the main one."""
    runs = {network: [run.history for run in runs] for network, runs in results.runs.items()}
    runs.setdefault(results.network, [results.main.history])
    return training_figure(runs, results.validated_on)


def training_figure(
    histories: Mapping[Network, Sequence[pd.DataFrame]], validated_on: str | None
) -> Figure | None:
    """Draw loss and, where there is one, validation mIoU over the epochs, a row for each backbone.

    A line is the mean over the seeds of one calibration, the band around it their whole range.

    Args:
        histories: (backbone, calibration) -> the history of each seed.
        validated_on: name of the split behind `val_miou`.

    Returns:
        The figure, or None where no network was trained.
    """
    histories = {kind: runs for kind, runs in histories.items() if all(map(len, runs))}
    if not histories:
        return None
    every = pd.concat([run for runs in histories.values() for run in runs])
    columns = {"loss": "mean loss"}
    if every["val_miou"].notna().any():
        columns["val_miou"] = f"mIoU on {validated_on} (%)"
    backbones = list(dict.fromkeys(backbone for backbone, _ in histories))
    with matplotlib.style.context(STYLE):
        figure = new_figure(4.5 * len(columns), 2.6 * len(backbones))
        grid = figure.subplots(len(backbones), len(columns), squeeze=False, sharex=True)
        for line, backbone in zip(grid, backbones, strict=True):
            own = {name: runs for (of, name), runs in histories.items() if of == backbone}
            for axes, (name, label) in zip(line, columns.items(), strict=True):
                for calibration, runs in own.items():
                    _band(axes, runs, name, calibration)
                axes.set_ylabel(label)
                axes.set_ylim(0, 1.08 * (every[name].max() or 1))
                axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
                axes.set_title(backbone, loc="left")
            line[0].legend()
        for axes in grid[-1]:
            axes.set_xlabel("epoch")
    return figure


def _band(axes: Axes, runs: Sequence[pd.DataFrame], name: str, calibration: str) -> None:
    """Draw the mean of one calibration's runs and their range."""
    points = pd.concat(runs).dropna(subset=name).groupby("epoch")[name]
    mean, low, high = points.mean(), points.min(), points.max()
    color, dashes = calibration_look(calibration)
    # A lone point or a few would be no visible line.
    marker = "o" if len(mean) <= 25 else None
    what = "without calibration" if calibration == "none" else calibration
    seeds = f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"
    style = {"color": color, "linestyle": dashes, "marker": marker, "markersize": 3.5}
    axes.plot(mean.index, mean, label=f"{what} ({seeds})", **style)
    if len(runs) > 1:
        axes.fill_between(mean.index, low, high, color=color, alpha=0.2, linewidth=0)
