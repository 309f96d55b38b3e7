import pytest
import torch


@pytest.fixture
def randomised():
    """Return a function that draws every parameter and statistic of a model, gamma too."""

    def draw(model, seed=0):
        generator = torch.Generator().manual_seed(seed)
        for name, value in model.state_dict().items():
            if name.endswith(("running_var", "norm.weight")):
                value.uniform_(0.5, 1.5, generator=generator)
            elif value.ndim < 2 and value.is_floating_point():
                value.uniform_(0.1, 0.4, generator=generator)
        return model

    return draw
