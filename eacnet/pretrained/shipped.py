"""Which network a command works with: the one named, the pipeline's, or the one that ships."""

from pathlib import Path

import eacnet
from eacnet.config.params import load_params
from eacnet.errors import InputError

SHIPPED = Path(eacnet.__file__).parent / "weights" / "camvid.safetensors"


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
    trained, without = _pipelines()
    if trained is not None and trained.is_file():
        return trained, "the pipeline's main network"
    if SHIPPED.is_file():
        return SHIPPED, f"the network that ships with eacnet, since {without}"
    raise InputError(
        f"no trained network: {without}, and none ships with this version; train one with"
        " `dvc repro`, or name a file with --model"
    )


def _pipelines() -> tuple[Path | None, str]:
    """Return where the pipeline of this folder keeps its main network, and why it may not do."""
    if not Path("params.yaml").is_file():
        return None, "this folder holds no pipeline (params.yaml)"
    try:
        experiment = load_params().experiment
    except (InputError, ModuleNotFoundError) as error:
        return None, f"the pipeline here is not usable ({error})"
    path = Path("models") / experiment / "main.safetensors"
    return path, f"{path} is not there"
