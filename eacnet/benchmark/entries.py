"""What a benchmark times: one network in one form, precision, image size and batch."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from eacnet.config.benchmark import Cross


@dataclass(frozen=True)
class Entry:
    """One thing to time.

    Attributes:
        network: "<backbone>-<calibration>", "erfnet" or "lraspp".
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
    def reference(self) -> "Entry":
        """The entry whose labels these have to agree with: eager PyTorch in fp32."""
        return replace(self, form="eager", precision="fp32")

    @property
    def description(self) -> dict[str, Any]:
        """The entry as the first columns of its row in the result."""
        values = asdict(self)
        first = {"network": values.pop("network"), "backbone": self.backbone}
        return {**first, "calibration": self.calibration, **values}


def entries(crosses: Sequence[Cross], model: str) -> list[Entry]:
    """Return every entry that `crosses` name, each once, in their order.

    Args:
        crosses: networks x forms x precisions x sizes x batches.
        model: the network that "model" stands for, as "<backbone>-<calibration>".
    """
    found = [
        Entry(model if network == "model" else network, form, precision, *size, batch)
        for cross in crosses
        for size, batch, network, form, precision in product(
            cross.sizes, cross.batches, cross.networks, cross.forms, cross.precisions
        )
    ]
    return list(dict.fromkeys(found))
