"""`Predictor`: images in, label maps out, as fast as the machine allows."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eacnet.errors import InputError
from eacnet.inference.auto import SAMPLE_SIZE, candidates, choose, plain_labels, split
from eacnet.inference.folded import card_of
from eacnet.inference.images import check_batch, check_image, is_batch, is_sequence
from eacnet.inference.memory import explained
from eacnet.inference.postprocess import Postprocess
from eacnet.inference.rewrite import check_unaltered
from eacnet.inference.runtimes import (
    Scores,
    check_choice,
    check_samples,
    open_runtime,
    wrapped,
)
from eacnet.machine import pick_device
from eacnet.models import EACNet, load_model

CLASSES = 256
MOST_THREADS = 1024  # of hundreds of thousands, the process dies


class Predictor:
    """A trained network made ready to predict: uint8 RGB images of any size -> class ids.

    Attributes:
        runtime: what runs the backbone, such as "eager".
        precision: of the backbone, such as "fp32".
        device: where it runs.
        model: the network, unchanged.
        choice: what "auto" picked and tried: {"runtime", "precision", "agreement", "median_ms",
            "trials"}; None where nothing was left to choose.
    """

    def __init__(
        self,
        model: EACNet | Path | str,
        *,
        runtime: str = "eager",
        precision: str = "fp32",
        device: str = "auto",
        threads: int | None = None,
        samples: Sequence[np.ndarray] | None = None,
    ) -> None:
        """Load the network into a runtime.

        Args:
            model: a network with its card, or the path of a file that `eacnet.save_model` wrote.
            runtime: eager, compile, onnxruntime, openvino or, on a GPU, graph; auto takes the
                fastest whose labels agree with the plain network on 99.9 % of the samples' pixels.
                It tries all that are installed, which takes minutes with compile among them.
            precision: fp32; what the hardware has of bf16, fp16, int8; auto leaves it to the trial.
            device: auto (a GPU where there is one), cpu or cuda.
            threads: processor threads; None leaves PyTorch's choice. Set for all of PyTorch in this
                process.
            samples: images uint8 (H,W,3) like those to come, some dozen for int8, which takes its
                ranges from them; auto tries itself on up to four of them, spread over all, or on
                drawn street scenes.

        Raises:
            InputError: the file is no such network, the network has no card, or the runtime, the
                precision or the device is unknown or not at hand.
        """
        if not isinstance(model, EACNet | Path | str):
            kind = type(model).__name__
            raise InputError(f"a predictor takes a network or the path of a model file, no {kind}")
        self.model = model if isinstance(model, EACNet) else load_model(model)
        if self.model.num_classes > CLASSES:
            raise InputError(
                f"the network has {self.model.num_classes} classes; label maps of 8 bits hold "
                f"{CLASSES}"
            )
        check_unaltered(self.model)
        card_of(self.model)
        self.device = pick_device(device, "device")
        whole = isinstance(threads, int | np.integer) and not isinstance(threads, bool)
        if threads is not None and not (whole and 1 <= threads <= MOST_THREADS):
            raise InputError(
                f"threads is {threads!r}; a predictor needs a whole number from 1 to {MOST_THREADS}"
            )
        if samples is not None and not isinstance(samples, Iterable):
            kind = type(samples).__name__
            raise InputError(f"samples are a sequence of images uint8 (H,W,3), no {kind}")
        check_choice(runtime, precision, self.device)
        if threads:
            torch.set_num_threads(int(threads))
        given = () if samples is None else samples
        images = [check_image(each, f"sample {i}") for i, each in enumerate(given)]
        check_samples(precision, images)
        self.runtime, self.precision = runtime, precision
        self.choice: dict[str, Any] | None = None
        if "auto" in (runtime, precision):
            pairs = candidates(runtime, precision, self.device, bool(images))
            tried, rest = split(images)
            opened = partial(self._open, samples=rest)
            tried = tried or _drawn_scenes()
            truth = plain_labels(self.model, tried, self.device)
            self._pipeline, self.choice = choose(pairs, opened, tried, truth)
            self.runtime, self.precision = self.choice["runtime"], self.choice["precision"]
        else:
            self._pipeline = self._open(runtime, precision, images)

    @property
    def attention_kernel(self) -> str:
        """Name of the kernel that the calibration's attention really takes, or "none"."""
        return self._pipeline.postprocess.attention_kernel

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
            check_batch(images)
            return self._predict(images)
        if is_sequence(images):
            checked = [check_image(image, f"image {i}") for i, image in enumerate(images)]
            return [self._predict(image[None])[0] for image in checked]
        return self._predict(check_image(images)[None])[0]

    def _predict(self, images: np.ndarray) -> np.ndarray:
        count, height, width = images.shape[:3]
        if count == 0:
            return np.empty((0, height, width), np.uint8)
        self.model.check_size(height, width)
        fewer = " or fewer at a time" if count > 1 else ""
        remedy = f"pass smaller images{fewer}, or free memory there"
        with explained(f"{count} x {height}x{width} pixels on {self.device.type}", remedy):
            return self._pipeline.labels(images)

    def _open(self, runtime: str, precision: str, samples: Sequence[np.ndarray]) -> "_Pipeline":
        scores = open_runtime(runtime, self.model, precision, self.device, samples)
        postprocess = Postprocess(self.model, self.device, precision)
        return _Pipeline(runtime, scores, postprocess, self.device)


class _Pipeline:
    """Backbone in some runtime, then what follows: images uint8 -> label maps uint8."""

    def __init__(
        self, runtime: str, scores: Scores, postprocess: Postprocess, device: torch.device
    ) -> None:
        self.scores, self.postprocess, self.device = scores, postprocess, device
        self.whole = wrapped(runtime, self._whole)

    @torch.inference_mode()
    def labels(self, images: np.ndarray) -> np.ndarray:
        """Return the label maps (B,H,W) of images (B,H,W,3)."""
        return self.whole(_tensor(images).to(self.device)).cpu().numpy()

    def _whole(self, pixels: Tensor) -> Tensor:
        return self.postprocess(self.scores(pixels), pixels.shape[1:3])

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the label map (H,W) of an image (H,W,3)."""
        return self.labels(image[None])[0]


def _tensor(images: np.ndarray) -> Tensor:
    contiguous = np.ascontiguousarray(images)
    if not contiguous.flags.writeable:  # PyTorch warns of those, though it only reads here
        contiguous = contiguous.copy()
    return torch.from_numpy(contiguous)


def _drawn_scenes() -> list[np.ndarray]:
    from eacnet.scenes import draw_scene

    return [draw_scene(*SAMPLE_SIZE, seed)[0] for seed in (1, 2)]
