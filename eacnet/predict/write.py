"""The files that `eacnet predict` leaves of an image or a video."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eacnet.data.images import read_image
from eacnet.errors import InputError, one_line
from eacnet.files import replacing, replacing_folder, write_json
from eacnet.predict.overlay import (
    GAP,
    check_picture,
    draw_legend,
    overlay,
    save_label_map,
    save_picture,
    side_by_side,
)
from eacnet.predict.results import IDS, holds_foreign
from eacnet.predict.segment import Segmenter
from eacnet.predict.sources import Source
from eacnet.predict.video import open_video, writing_video
from eacnet.progress import progress


@dataclass(frozen=True)
class Predictions:
    """How predictions are made and kept.

    Attributes:
        segment: from an image to its label map.
        classes: one {"name", "color"} a class.
        output: the folder of all results.
        facts: the network and how it runs, for every JSON file.
        side_by_side: also show the image beside its overlay, with a legend.
        label_maps: also keep a label map of every frame of a video.
    """

    segment: Segmenter
    classes: list[dict[str, Any]]
    output: Path
    facts: dict[str, Any]
    side_by_side: bool = False
    label_maps: bool = False

    @property
    def colors(self) -> np.ndarray:
        """The classes' colours, uint8 (K,3)."""
        lacking = [entry["name"] for entry in self.classes if "color" not in entry]
        if lacking:
            raise InputError(f"the model file tells no colour of {lacking[0]!r}; save it with one")
        return np.array([entry["color"] for entry in self.classes], np.uint8)

    def path(self, source: Source, suffix: str) -> Path:
        """Return where a result of a source is kept; `suffix` is one of the ..._RESULTS."""
        return self.output / source.result(suffix)

    def image(self, source: Source) -> None:
        """Predict an image; write its label map, overlay and JSON.

        Raises:
            InputError: the image can't be read, or is too small or too large.
        """
        pixels = read_image(source.path)
        found = self._segment(source, pixels)
        over = overlay(pixels, found.labels, self.colors)
        pictures = {"_overlay.jpg": over}
        if self.side_by_side:
            legend = draw_legend(self.classes, 2 * pixels.shape[1] + GAP)
            pictures["_side-by-side.jpg"] = side_by_side(pixels, over, legend)
        for suffix, picture in pictures.items():
            check_picture(picture, self.path(source, suffix))
        save_label_map(found.labels, self.colors, self.path(source, "_labels.png"))
        for suffix, picture in pictures.items():
            save_picture(picture, self.path(source, suffix))
        record = {
            **self._head(source, pixels),
            "latency_ms": round(found.latency_ms, 3),
            "warm": found.warm,
            "shares": self._by_name(self._shares(found.labels)),
        }
        write_json(self.path(source, ".json"), record)

    def video(self, source: Source) -> int:
        """Predict a video frame by frame; write its overlay, and a line of JSON for each frame.

        Returns:
            How many of its frames are damaged: left out, or patched by the decoder.

        Raises:
            InputError: the video can't be read, PyAV is not installed, or where the label maps
                belong are other files.
        """
        with ExitStack() as files:
            video = files.enter_context(open_video(source.path))
            lines = files.enter_context(replacing(self.path(source, ".jsonl")))
            file = files.enter_context(lines.open("w", encoding="utf-8"))
            over_path = self.path(source, "_overlay.mp4")
            over_video = files.enter_context(writing_video(over_path, video))
            if self.side_by_side:
                both_path = self.path(source, "_side-by-side.mp4")
                both_video = files.enter_context(writing_video(both_path, video))
            if self.label_maps:
                folder = self.path(source, "_labels")
                # Here, not for every video: labels of one's own often stand beside it.
                if holds_foreign(folder):
                    raise InputError(
                        f"{folder} holds other files than eacnet's label maps and would be"
                        " overwritten; use --output"
                    )
                maps = files.enter_context(replacing_folder(folder, [f"{'[0-9]' * 8}.png"]))
                maps.mkdir()
            colors, legend = self.colors, None
            total, shares, head = 0.0, np.zeros(len(colors)), {}
            count = 0
            frames: Iterable[Any] = progress(
                video,
                total=video.frames,
                desc=one_line(source.path.name),
                unit="frame",
                leave=False,
            )
            for count, frame in enumerate(frames, start=1):
                found = self._segment(source, frame.pixels)
                over = overlay(frame.pixels, found.labels, colors)
                over_video.write(over, frame.time)
                if self.side_by_side:
                    if legend is None:
                        legend = draw_legend(self.classes, 2 * over.shape[1] + GAP)
                    both_video.write(side_by_side(frame.pixels, over, legend), frame.time)
                if self.label_maps:
                    save_label_map(found.labels, colors, maps / f"{count - 1:08}.png")
                own = self._shares(found.labels)
                line = {
                    "frame": count - 1,
                    "time_s": round(float(frame.time), 6),
                    "latency_ms": round(found.latency_ms, 3),
                    "warm": found.warm,
                    "shares": self._by_name(own),
                }
                file.write(json.dumps(line) + "\n")
                head = head or self._head(source, frame.pixels)
                total, shares = total + found.latency_ms, shares + own
            record = {
                **head,
                "frames": count,
                "damaged_frames": video.damaged,
                "mean_latency_ms": round(total / count, 3),
                "shares": self._by_name(shares / count),
            }
        write_json(self.path(source, ".json"), record)
        return video.damaged

    def _segment(self, source: Source, pixels: np.ndarray) -> Any:
        try:
            return self.segment(pixels)
        except InputError as error:
            raise InputError(f"{source.path}: {error}") from None

    def _head(self, source: Source, pixels: np.ndarray) -> dict[str, Any]:
        height, width = pixels.shape[:2]
        return {
            "source": str(source.path),
            "height": height,
            "width": width,
            "label_ids": IDS,
            **self.facts,
        }

    def _shares(self, labels: np.ndarray) -> np.ndarray:
        """Return the share of each class in the pixels, in percent."""
        return 100 * np.bincount(labels.ravel(), minlength=len(self.classes)) / labels.size

    def _by_name(self, values: np.ndarray) -> dict[str, float]:
        names = [entry["name"] for entry in self.classes]
        return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}
