"""The former place of `eacnet.pretrained.load_published`, kept for those who import it here."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(import_module("eacnet.pretrained.published"), name)
