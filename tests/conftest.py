import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

REFERENCE = Path(__file__).parents[1].parent / "shared" / "reference"


class Reference:
    """Published parameters, inputs and logits, as ../shared/reference has them."""

    def __init__(self, name):
        spec = importlib.util.spec_from_file_location("fill", REFERENCE / "fill.py")
        fill = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fill)
        description = json.loads((REFERENCE / f"{name}.json").read_text())
        self.state = {
            name: torch.from_numpy(np.asarray(fill.fill(name, *value.values())))
            for name, value in description["parameters"].items()
        }
        self.pairs = []
        for key, logits in np.load(REFERENCE / f"{name}.npz").items():
            height, width = map(int, key.removeprefix("logits_").split("x"))
            image = torch.from_numpy(fill.example_input(height, width))
            self.pairs.append((image, torch.from_numpy(logits)))


@pytest.fixture
def reference():
    """Return a function: name of a published network -> Reference."""
    if not REFERENCE.is_dir():
        pytest.skip(f"reference vectors are absent: {REFERENCE}")
    return Reference
