"""`Predictor`: images in, label maps out, as fast as the machine allows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.models import EACNet, load_model
from eacnet.runtime.backends import open_runtime
from eacnet.runtime.deploy import card_of
from eacnet.runtime.head import Head
from eacnet.runtime.images import check_image, is_batch, is_sequence
from eacnet.runtime.memory import explained

REMEDY = "pass smaller images or fewer at a time, or free memory there"


class Predictor:
    """A trained network made ready to predict: uint8 RGB images of any size -> class ids.

    Attributes:
        runtime: what runs the backbone, such as "eager".
        precision: of the backbone, such as "fp32".
        device: where it runs.
        model: the network, unchanged.
    """

    def __init__(
        self,
        model: EACNet | Path | str,
        *,
        runtime: str = "eager",
        precision: str = "fp32",
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        """Load the network into a runtime.

        Args:
            model: a network with its card, or the path of a file that `eacnet.save_model` wrote.
            runtime: a key of `eacnet.runtime.backends.RUNTIMES`.
            precision: fp32, or what the hardware has: bf16, fp16.
            device: auto (a GPU where there is one), cpu or cuda.
            threads: processor threads; None leaves the library's choice.

        Raises:
            InputError: the file is no such network, the network has no card, or the runtime, the
                precision or the device is unknown or not at hand.
        """
        self.model = model if isinstance(model, EACNet) else load_model(model)
        card_of(self.model)
        self.device = _device(device)
        if threads is not None and threads < 1:
            raise InputError(f"threads is {threads}; a predictor needs at least 1")
        self.runtime, self.precision, self.threads = runtime, precision, threads
        self._scores = open_runtime(runtime, self.model, precision, self.device, threads)
        self._head = Head(self.model, self.device, precision)

    @property
    def attention_kernel(self) -> str:
        """Name of the kernel that the calibration's attention really takes, or "none"."""
        return self._head.attention_kernel

    def __call__(self, images: np.ndarray | Sequence[np.ndarray]) -> np.ndarray | list[np.ndarray]:
        """Predict the class of every pixel.

        Args:
            images: uint8, RGB: one image (H,W,3), a batch (B,H,W,3) that runs in one pass, or a
                sequence of images, which may differ in size and run one by one.

        Returns:
            Class ids, uint8: (H,W), (B,H,W) or a list of (H,W).

        Raises:
            InputError: an image is no 8-bit RGB image or too small for the network, or memory
                runs out.
        """
        if is_batch(images):
            for image in images[:1]:
                check_image(image, "a batch's image")
            return self._predict(images)
        if is_sequence(images):
            checked = [check_image(image, f"image {i}") for i, image in enumerate(images)]
            return [self._predict(image[None])[0] for image in checked]
        return self._predict(check_image(images)[None])[0]

    @torch.inference_mode()
    def scores(self, images: np.ndarray) -> Tensor:
        """Return the calibrated class scores of a batch uint8 (B,H,W,3): float32 (B,K,h,w)."""
        return self._head.calibrated(self._scores(self._pixels(images)))

    @torch.inference_mode()
    def _predict(self, images: np.ndarray) -> np.ndarray:
        count, height, width = images.shape[:3]
        if count == 0:
            return np.empty((0, height, width), np.uint8)
        self.model.check_size(height, width)
        with explained(f"{count} x {height}x{width} pixels on {self.device.type}", REMEDY):
            coarse = self._scores(self._pixels(images))
            return self._head(coarse, (height, width)).cpu().numpy()

    def _pixels(self, images: np.ndarray) -> Tensor:
        contiguous = np.ascontiguousarray(images)
        if not contiguous.flags.writeable:  # PyTorch warns of those, though it only reads here
            contiguous = contiguous.copy()
        return torch.from_numpy(contiguous).to(self.device)


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"unknown device {name!r}; choose auto, cpu or cuda")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise InputError("device is 'cuda', but PyTorch finds no CUDA GPU; choose auto or cpu")
    return torch.device("cuda" if available and name != "cpu" else "cpu")
