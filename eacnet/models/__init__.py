"""The networks and their files."""

from eacnet.models.checkpoint import load_model, save_model
from eacnet.models.network import EACNet, ModelCard, build_model

__all__ = ["EACNet", "ModelCard", "build_model", "load_model", "save_model"]
