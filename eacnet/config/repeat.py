"""The command that repeats an experiment, from what its result files tell of its settings."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from eacnet.config.names import BASELINES


def settings(
    dataset: str,
    variant: str,
    main: Mapping[str, Any] | None = None,
    cells: Iterable[tuple[str, str, int]] = (),
) -> list[str]:
    """Return what selects an experiment and its networks, as `dvc exp run` takes it behind `-S`.

    Args:
        dataset: its dataset.
        variant: which recipe of it; "" the plain one.
        main: training.json of the main network, where it can be read.
        cells: backbone, calibration and seed of each cell of the ablation, where they are known.
    """
    values: dict[str, Any] = {"dataset": dataset}
    if variant:
        values["variant"] = variant
    if main:
        values["seed"] = main["seed"]
        values["model.backbone"] = main["backbone"]
        if main["calibration"] == "none":
            values["model.calib"] = "false"
        else:
            values["model.attention"] = main["calibration"]
        if main.get("pretrained"):
            values["model.pretrained"] = main["pretrained"]
    cells = list(cells)
    crossed = [cell for cell in cells if cell[0] not in BASELINES]
    if crossed:
        backbones, calibrations, _ = zip(*crossed, strict=True)
        values["ablation.backbones"] = _each(backbones)
        values["ablation.calibrations"] = _each(calibrations)
        values["ablation.baselines"] = _each(name for name, *_ in cells if name in BASELINES)
        values["ablation.seeds"] = _each(seed for *_, seed in cells)
    return [shlex.quote(f"{key}={value}") for key, value in values.items()]


def _each(values: Iterable[Any]) -> str:
    return f"[{','.join(map(str, dict.fromkeys(values)))}]"
