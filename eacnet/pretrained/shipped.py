"""Which network a command works with: the one named, the pipeline's, or the one that ships."""

from pathlib import Path

import eacnet
from eacnet.config.params import load_params
from eacnet.errors import InputError
from eacnet.files import checksum
from eacnet.layout import models

WEIGHTS = Path(eacnet.__file__).parent / "weights"
# The other file there, camvid.safetensors, is what recipes start from, this one's start as well.
SHIPPED = WEIGHTS / "camvid_edge.safetensors"


def choose_model(named: str | None) -> tuple[Path, str]:
    """Return the path of the weights, and in a few words why these.

    Args:
        named: what the user asked for, None: the pipeline's main network if this folder holds one,
            otherwise the network that ships with the package.

    Raises:
        InputError: there is no such file.
    """
    if named is not None:
        if not Path(named).is_file():
            raise InputError(f"--model {named}: there is no such file")
        return Path(named), "as asked for"
    experiment, without = pipeline()
    if experiment is not None:
        trained = models(experiment) / "main.safetensors"
        if trained.is_file():
            return trained, "the pipeline's main network"
        without = f"{trained} is not there"
    if SHIPPED.is_file():
        return SHIPPED, f"the network that ships with eacnet, since {without}"
    raise InputError(
        f"no trained network: {without}, and none ships with this version; train one with"
        " `dvc repro`, or name a file with --model"
    )


def shipped_as(sha256: str | None) -> Path | None:
    """Return the file that ships with the package and has this SHA-256, or None."""
    if sha256 is None:
        return None
    return next((path for path in WEIGHTS.glob("*.safetensors") if checksum(path) == sha256), None)


def pipeline() -> tuple[str | None, str]:
    """Return the experiment that the pipeline of this folder selects, or None and why."""
    if not Path("params.yaml").is_file():
        return None, "this folder holds no pipeline (params.yaml)"
    try:
        return load_params().experiment, ""
    except (InputError, ModuleNotFoundError) as error:
        return None, f"the pipeline here is not usable ({error})"
