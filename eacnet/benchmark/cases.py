"""The cases of a benchmark: each is one network in one form, precision, image size and batch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from eacnet.config.benchmark import Grid


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        network: "<backbone>-<calibration>", or a baseline.
        form: "published", or the runtime of the predictor; of "auto", the row says what it picked.
        precision: "fp32", "fp16", "bf16", "int8" or "auto".
        height: of the image in pixels.
        width: of the image in pixels.
        batch: images a pass.
    """

    network: str
    form: str
    precision: str
    height: int
    width: int
    batch: int = 1

    @property
    def backbone(self) -> str:
        """The backbone as `build_model` names it."""
        return self.network.partition("-")[0]

    @property
    def calibration(self) -> str:
        """The calibration as `build_model` names it."""
        return self.network.partition("-")[2] or "none"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Batch, height and width."""
        return self.batch, self.height, self.width

    @property
    def reference(self) -> "Case":
        """The case whose labels these have to agree with: eager PyTorch in fp32."""
        return replace(self, form="eager", precision="fp32")

    @property
    def description(self) -> dict[str, Any]:
        """The first columns of its row in the result."""
        network = {
            "network": self.network, "backbone": self.backbone, "calibration": self.calibration
        }  # fmt: skip
        return network | asdict(self)


def cases(grids: Sequence[Grid]) -> list[Case]:
    """Return every case of `grids`, each once, in their order."""
    found = [
        Case(network, form, precision, *size, batch)
        for grid in grids
        for size, batch, network, form, precision in product(
            grid.sizes, grid.batches, grid.networks, grid.forms, grid.precisions
        )
    ]
    return list(dict.fromkeys(found))
