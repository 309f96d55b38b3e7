"""What the Cityscapes benchmark takes: a zip of label-id PNGs under the official names."""

import hashlib
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from eacnet.data.images import read_image
from eacnet.datasets.cityscapes import DATASET, LABELS, OFFICIAL_NAME
from eacnet.datasets.labels import described, trained
from eacnet.datasets.listing import list_frames, take
from eacnet.errors import InputError
from eacnet.files import checksum, read_json, replacing
from eacnet.inference.folded import card_of
from eacnet.models import EACNet
from eacnet.progress import progress

_MADE_FROM = "made from"
_LABEL_IDS = "_labelIds.png"
_OF_SCORES = {"split", "frames", "mean_class_iou"}
_TEST_FRAMES = 1525  # of the benchmark


@dataclass(frozen=True)
class Submission:
    """The predictions of some frames, as a zip and as the PNGs in it.

    Attributes:
        images: the frames' images by their id, see `find_images`.
        target: the zip. The PNGs lie in a folder beside it that is named as it is.
    """

    images: dict[str, Path]
    target: Path

    @property
    def folder(self) -> Path:
        """Where the PNGs are kept."""
        return self.target.with_suffix("")

    def png(self, id_: str) -> Path:
        """Return where the prediction of a frame is kept."""
        return self.folder / f"{id_}{_LABEL_IDS}"

    def write(self, predict: Callable[[np.ndarray], np.ndarray], network: str) -> int:
        """Predict every frame that was not predicted before, and pack all of them.

        A PNG that is there is kept if it was made from the same image by the same network.

        Args:
            predict: image uint8 (H,W,3) -> train ids uint8 (H,W), an eacnet.Predictor.
            network: what tells it from any other, such as the checksum of its file.

        Returns:
            How many frames were predicted now.

        Raises:
            InputError: a frame can't be predicted: all others are kept, and no zip is written; or
                another file is in the place of a prediction.
        """
        for png in map(self.png, self.images):
            _check_own(png)
        label_ids = np.array([label.id for label in trained(LABELS)], np.uint8)
        problems, made = [], 0
        for id_, image in progress(self.images.items(), desc="predict", unit="frame"):
            png = self.png(id_)
            try:
                if not image.is_file():
                    raise InputError("it is no regular file, or a link that leads nowhere")
                source = f"{network} {checksum(image)}"
                if not _is_made_from(png, source):
                    _save(label_ids[predict(read_image(image))], source, png)
                    made += 1
            except InputError as error:
                problems.append(str(error) if str(image) in str(error) else f"{image}: {error}")
        if problems:
            more = f" (and {len(problems) - 1} more such)" if len(problems) > 1 else ""
            raise InputError(
                f"{problems[0]}{more}; no zip was written, the predictions of the other"
                f" {len(self.images) - len(problems)} frames are kept in {self.folder}"
            )
        with replacing(self.target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            for id_ in self.images:
                archive.write(self.png(id_), self.png(id_).name)
        return made


def check_replaceable(target: Path, score: bool) -> None:
    """Refuse to replace a zip that is none of label ids or, with `score`, a JSON without scores.

    Raises:
        InputError: there is one, which is somebody's own.
    """
    scores = target.with_suffix(".json")
    for path, is_ours in ((target, _is_zip), *([(scores, _is_score)] if score else [])):
        if path.is_file() and not is_ours(path):
            raise _not_ours(path)


def find_images(raw: Path, split: str) -> tuple[dict[str, Path], list[str]]:
    """Find the images of a split of Cityscapes; labels need not be there.

    Returns:
        The images by their id; and one line for each thing that a person should know: files that
        are not taken, and a test split that is not the benchmark's.

    Raises:
        InputError: there is none, two are of one frame, or a name does not follow the official
            pattern, by which the benchmark finds the prediction for a frame.
    """
    listing = list_frames(DATASET, raw)
    images = listing.images.get(split, {})
    if not images:
        take(listing, DATASET, raw, [split])
    for id_, path in images.items():
        if not re.fullmatch(OFFICIAL_NAME, id_):
            raise InputError(
                f"{path} is not named <city>_<6 digits>_<6 digits>_leftImg8bit.png as the"
                " benchmark's frames are; rename it"
            )
    for problem in listing.doubled.get(split, []):
        raise InputError(problem)
    remarks = [f"{raw}: not taken are {listing.left_out()}"] if listing.left else []
    if split == "test" and len(images) != _TEST_FRAMES:
        remarks.append(
            f"{raw}: {len(images)} frames in test, where the benchmark has {_TEST_FRAMES:,} and"
            " scores all of them"
        )
    return images, remarks


def check_classes(model: EACNet) -> None:
    """Refuse a network whose classes are not those of Cityscapes, in their order.

    Raises:
        InputError: they are not, or its file does not name them.
    """
    names = [entry["name"] for entry in described(LABELS)]
    if [entry.get("name") for entry in card_of(model).classes] != names:
        raise InputError(
            f"the network's {model.num_classes} classes are not the {len(names)} of Cityscapes in"
            " their order; submit one that was trained on them"
        )


def _is_made_from(png: Path, source: str) -> bool:
    """Whether a PNG of an earlier run is whole and was made from `source`."""
    try:
        with Image.open(png, formats=["PNG"]) as image:
            return image.info.get(_MADE_FROM) == _note(np.array(image), source)
    except Exception:  # a damaged file can raise anything
        return False


def _check_own(png: Path) -> None:
    """Refuse a file in a prediction's place that was not written here; one of ours may be damaged.

    Raises:
        InputError: there is one.
    """
    if not png.is_file():
        return
    with png.open("rb") as file:
        head = file.read(1000)
    if f"{_MADE_FROM}\0".encode() not in head:
        raise _not_ours(png)


def _not_ours(path: Path) -> InputError:
    return InputError(f"{path} was not written here and would be overwritten; use --output")


def _is_zip(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return all(name.endswith(_LABEL_IDS) for name in archive.namelist())
    except Exception:  # foreign bytes can raise anything
        return False


def _is_score(path: Path) -> bool:
    try:
        scores = read_json(path)
    except InputError:
        return False  # scores are never half-written
    return isinstance(scores, dict) and scores.keys() >= _OF_SCORES


def _note(ids: np.ndarray, source: str) -> str:
    pixels = hashlib.sha256(repr((ids.shape, str(ids.dtype))).encode() + ids.tobytes())
    return f"{source} {pixels.hexdigest()}"


def _save(ids: np.ndarray, source: str, png: Path) -> None:
    note = PngImagePlugin.PngInfo()
    note.add_text(_MADE_FROM, _note(ids, source))
    with replacing(png) as temporary:
        Image.fromarray(ids).save(temporary, format="PNG", pnginfo=note)
