"""EACNet: real-time semantic segmentation with attention calibration, reproducibly.

The public names load on first use: reading params.yaml must not cost an import of torch.
"""

from importlib import import_module
from typing import Any

_HOME = {
    "build_model": "eacnet.models",
    "load_model": "eacnet.models",
    "save_model": "eacnet.models",
    "EACNet": "eacnet.models",
    "Predictor": "eacnet.inference.predictor",
    "results": "eacnet.report.tables",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'eacnet' has no attribute {name!r}")
