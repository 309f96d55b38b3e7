"""Whether a file can be started from, seen from its card, before any work."""

from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError, safe_open

from eacnet.errors import InputError
from eacnet.layout import Run


def check_start(path: Path, runs: Iterable[Run]) -> None:
    """Refuse a file that one of the runs can't start from; `initial_model` looks closer still.

    Raises:
        InputError: it is no model file, of another backbone, or holds another calibration.
    """
    check_format(path)
    try:
        with safe_open(path, framework="numpy") as file:
            card = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is no intact safetensors file ({error})") from None
    for run in runs:
        found = card.get("backbone"), card.get("calibration")
        check_fit(path, *found, run.backbone, run.calibration)


def check_format(path: Path) -> None:
    """Refuse a published checkpoint, which is to be converted first."""
    if path.suffix in (".pth", ".pt"):
        raise InputError(
            f"{path} is no model file; `eacnet convert {path} model.safetensors` makes one of a "
            "published checkpoint"
        )


def check_fit(
    path: Path, found: str | None, calibrated: str | None, backbone: str, calibration: str
) -> None:
    """Refuse a file of the backbone `found` and calibration `calibrated` as start of another."""
    if found != backbone:
        raise InputError(
            f"{path} holds backbone {found}, but {backbone} is to be trained; start from a file of"
            " the same backbone"
        )
    if calibrated not in ("none", calibration):
        raise InputError(
            f"{path} holds calibration {calibrated}, but calibration {calibration} is to be"
            " trained; start from a file with the same calibration or with none"
        )
