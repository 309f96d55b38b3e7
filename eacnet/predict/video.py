"""Videos frame by frame, in and out, so that a long one needs no more memory than a short one."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from eacnet.data.images import on_white
from eacnet.errors import InputError
from eacnet.files import replacing

# H.264 wherever FFmpeg was built with it: every browser plays it. The other is always there.
ENCODERS = {"libx264": {"crf": "18", "preset": "veryfast"}, "mpeg4": {"qscale": "2"}}
# The finest clock that MPEG-4 part 2 can express.
_LARGEST_DENOMINATOR = 65_535
_BT709, _LIMITED_RANGE = 1, 1
# A playlist would open other files, and addresses.
_ALONE = {"protocol_whitelist": "none"}


@dataclass(frozen=True)
class Frame:
    """One frame, upright: uint8 (H,W,3) RGB, and when it is shown in seconds."""

    pixels: np.ndarray
    time: Fraction


class Video:
    """A video file opened for reading; `open_video` makes it.

    Attributes:
        path: the file.
        rate: frames per second, on average.
        clock: the unit of its time stamps in seconds.
        frames: how many frames there are, as far as the container tells; None where it doesn't.
        damaged: frames so far that could not be decoded, or that the decoder had to patch.
    """

    def __init__(self, path: Path, container: Any) -> None:
        if not container.streams.video:
            raise InputError(f"{path} holds no video stream")
        self.path = path
        self._container = container
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.rate = self._stream.average_rate or Fraction(25)
        self.clock = self._stream.time_base or 1 / self.rate
        # AVI tells when a frame is decoded, not when it is shown.
        self._shown = container.format.name != "avi"
        self.frames: int | None = self._stream.frames or self._estimate()
        self.damaged = 0

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in the order in which they are shown, one at a time.

        Raises:
            InputError: no frame can be decoded.
        """
        av = _pyav(self.path)
        last = -1
        size: tuple[int, int] | None = None
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                self.damaged += frame.is_corrupt
                # Some containers lack time stamps or repeat them; an encoder takes neither.
                stamp = frame.pts if self._shown else frame.dts
                last = max(last + 1, -1 if stamp is None else stamp)
                # A stream may switch its resolution; pictures keep the one of the first frame.
                size = size or (frame.width, frame.height)
                form = "rgba" if _is_transparent(frame) else "rgb24"
                pixels = frame.to_ndarray(format=form, width=size[0], height=size[1])
                if form == "rgba":
                    pixels = np.array(on_white(Image.fromarray(pixels)).convert("RGB"))
                if frame.rotation:
                    pixels = np.ascontiguousarray(np.rot90(pixels, frame.rotation // 90))
                yield Frame(pixels, last * self.clock)
        if last < 0:
            raise InputError(f"{self.path}: no frame of this video can be decoded")

    def _packets(self) -> Iterator[Any]:
        """Yield the stream's packets up to where the file breaks off."""
        av = _pyav(self.path)
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError:
            self.damaged += 1

    def _estimate(self) -> int | None:
        duration = self._container.duration
        return round(duration / 1_000_000 * self.rate) if duration else None


@contextmanager
def open_video(path: Path) -> Iterator[Video]:
    """Open a video file for reading.

    Raises:
        InputError: PyAV is not installed, or the file is no video.
    """
    av = _pyav(path)
    if path.exists() and not path.is_file():
        raise InputError(f"{path} can't be read as a video (it is no regular file)")
    with ExitStack() as opened:
        try:
            file = opened.enter_context(path.open("rb"))
            container = opened.enter_context(av.open(_Nameless(file), options=_ALONE))
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path} can't be read as a video ({reason})") from None
        yield Video(path, container)


def _is_transparent(frame: Any) -> bool:
    """Whether some pixels of a decoded frame may be transparent; so may colours of a palette."""
    form = frame.format
    return form.has_palette or any(component.is_alpha for component in form.components)


class _Nameless:
    """A file that FFmpeg learns no name of: it would take "12:30.mp4" for an address."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.write = file.read, file.write
        self.seek, self.tell = file.seek, file.tell


class VideoWriter:
    """An MP4 file that takes pictures one by one; `writing_video` makes it.

    `size` is that of the pictures, "HxW" in pixels, "" before the first one.
    """

    def __init__(self, container: Any, like: Video) -> None:
        av = _pyav(like.path)
        self._av = av
        self._container = container
        self._rate = like.rate
        self._encoder = next(name for name in ENCODERS if name in av.codecs_available)
        exact = self._encoder == "libx264" or like.clock.denominator <= _LARGEST_DENOMINATOR
        self._clock = like.clock if exact else Fraction(1, 1000)
        self._stream: Any = None
        self._last = -1
        self.size = ""

    def write(self, picture: np.ndarray, time: Fraction) -> None:
        """Add a picture uint8 (H,W,3), all of one size, shown from `time` in seconds on."""
        # H.264 stores colour at half the size, so both sides must be even.
        height, width = picture.shape[:2]
        picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self._stream is None:
            self.size = f"{picture.shape[0]}x{picture.shape[1]}"
            self._stream = self._start(*picture.shape[:2])
        frame = self._av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(
            format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED_RANGE
        )
        self._last = max(self._last + 1, round(time / self._clock))
        frame.pts, frame.time_base = self._last, self._clock
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())

    def _start(self, height: int, width: int) -> Any:
        stream = self._container.add_stream(
            self._encoder, rate=self._rate, options=ENCODERS[self._encoder]
        )
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        context = stream.codec_context
        context.time_base = self._clock
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        return stream


@contextmanager
def writing_video(path: Path, like: Video) -> Iterator[VideoWriter]:
    """Write an MP4 file with the timing of `like`, all of it or nothing."""
    av = _pyav(path)
    with (
        replacing(path) as temporary,
        temporary.open("wb") as file,
        av.open(_Nameless(file), "w", format="mp4") as container,
    ):
        writer = VideoWriter(container, like)
        try:
            yield writer
            writer.finish()
        except av.FFmpegError as error:
            if isinstance(error, OSError):  # such as a full disk
                raise
            raise InputError(
                f"{path} can't be encoded ({error.strerror}): pictures of {writer.size} pixels; "
                "predict it without --side-by-side, or smaller by --size"
            ) from None


def _pyav(path: Path) -> ModuleType:
    """Import PyAV, which not everyone needs."""
    try:
        import av
    except ImportError:
        raise InputError(
            f"{path} is a video, and videos need PyAV: pip install 'eacnet[video]'"
        ) from None
    return av
