import os
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from eacnet.data.images import read_image
from eacnet.errors import InputError
from eacnet.predict import video as module
from eacnet.predict.video import open_video, writing_video

# The matrix of a track header (ISO/IEC 14496-12): identity, and turned clockwise by 90 degrees.
IDENTITY = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
CLOCKWISE = b"".join(
    n.to_bytes(4, "big", signed=True) for n in (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
)


def encode(path, frames, rate=25, encoder="libx264", times=None):
    """Write frames at a constant rate, or at `times` in milliseconds."""
    clock = Fraction(1, 1000) if times else Fraction(1, rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=rate, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        stream.codec_context.time_base = clock
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = times[index] if times else index, clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def grey(level, size=(48, 64)):
    pixels = np.full((*size, 3), level, np.uint8)
    pixels[: size[0] // 3, : size[1] // 3] = 255
    return pixels


def frames_of(path):
    with open_video(path) as video:
        return list(video), video


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_frames_come_in_order_with_their_times(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    # H.264 has B-frames, which are stored in another order than they are shown in.
    encoder = "mpeg4" if suffix == "avi" else "libx264"
    encode(path, [grey(20 + 8 * index) for index in range(20)], rate=10, encoder=encoder)
    found, video = frames_of(path)
    assert [round(float(frame.time), 3) for frame in found] == [i / 10 for i in range(20)]
    for index, frame in enumerate(found):
        assert frame.pixels.shape == (48, 64, 3)
        np.testing.assert_allclose(frame.pixels[30:, 40:], 20 + 8 * index, atol=4)
    assert video.frames == 20
    assert video.damaged == 0


def test_a_phones_rotation_is_applied(tmp_path):
    path = tmp_path / "x.mp4"
    encode(path, [grey(60)] * 3)
    content = path.read_bytes()
    assert content.count(IDENTITY) == 2  # of the film and of its only track
    head, middle, tail = content.split(IDENTITY)
    path.write_bytes(head + IDENTITY + middle + CLOCKWISE + tail)
    found, _ = frames_of(path)
    turned = grey(60).swapaxes(0, 1)[:, ::-1]
    assert found[0].pixels.shape == turned.shape
    far = np.ones(turned.shape[:2], bool)
    far[18:26] = far[:, 28:36] = False  # the encoder blurs the patch's border
    np.testing.assert_allclose(found[0].pixels[far], turned[far], atol=6)


@pytest.mark.parametrize(
    ("suffix", "encoder", "form"),
    [("mov", "qtrle", "argb"), ("mov", "png", "rgba"), ("mkv", "ffv1", "bgra")],
)
@pytest.mark.parametrize("alpha", [0, 51, 255])
def test_transparency_is_laid_on_white_as_in_images(tmp_path, suffix, encoder, form, alpha):
    path = tmp_path / f"x.{suffix}"
    pixels = np.broadcast_to(np.uint8([200, 0, 0, alpha]), (48, 64, 4))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=5)
        stream.height, stream.width, stream.pix_fmt = 48, 64, form
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
        container.mux(stream.encode(frame.reformat(format=form)))
        container.mux(stream.encode())
    Image.fromarray(pixels).save(tmp_path / "x.png")
    ((found,), _) = frames_of(path)
    np.testing.assert_allclose(found.pixels, read_image(tmp_path / "x.png"), atol=1)


@pytest.mark.parametrize("encoders", [["libx264", "mpeg4"], ["mpeg4"]])
@pytest.mark.parametrize("size", [(48, 64), (47, 65)])
def test_what_is_written_reads_back(tmp_path, monkeypatch, encoders, size):
    monkeypatch.setattr(module, "ENCODERS", {name: module.ENCODERS[name] for name in encoders})
    times = [0, 100, 150, 400, 1000]  # ms: a variable frame rate
    encode(tmp_path / "in.mp4", [grey(90)] * 5, times=times)
    color = np.array([128, 64, 192], np.uint8)
    with open_video(tmp_path / "in.mp4") as video:
        with writing_video(tmp_path / "out.mp4", video) as writer:
            for frame in video:
                writer.write(np.broadcast_to(color, (*size, 3)), frame.time)
        assert not list(tmp_path.glob(".*"))
    found, _ = frames_of(tmp_path / "out.mp4")
    assert [round(1000 * float(frame.time)) for frame in found] == times
    # An odd side grows by one pixel.
    assert found[0].pixels.shape == (48, 64 if size[1] == 64 else 66, 3)
    np.testing.assert_allclose(found[2].pixels, color + np.zeros_like(found[2].pixels), atol=4)


def test_repeated_and_missing_time_stamps_still_make_a_video(tmp_path):
    encode(tmp_path / "in.mkv", [grey(90)] * 4)
    source, target = tmp_path / "in.mkv", tmp_path / "out.mp4"
    with open_video(source) as video, writing_video(target, video) as writer:
        for frame in video:
            writer.write(frame.pixels, Fraction(0))
    assert len(frames_of(tmp_path / "out.mp4")[0]) == 4


def test_nothing_is_left_of_a_video_that_is_interrupted(tmp_path):
    encode(tmp_path / "in.mp4", [grey(90)] * 4)

    def interrupted():
        source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
        with open_video(source) as video, writing_video(target, video) as writer:
            for frame in video:
                writer.write(frame.pixels, frame.time)
                if frame.time:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_pictures_that_the_encoder_refuses_are_told_in_one_line(tmp_path):
    encode(tmp_path / "in.mp4", [grey(90)])
    with (
        open_video(tmp_path / "in.mp4") as video,
        pytest.raises(InputError, match=r"out.mp4 can't be encoded .* 32x70000 pixels; predict it"),
        writing_video(tmp_path / "out.mp4", video) as writer,
    ):
        writer.write(np.zeros((32, 70000, 3), np.uint8), Fraction(0))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize(
    ("suffix", "encoder", "whole"), [("mkv", "libx264", 28), ("avi", "mpeg4", 30)]
)
def test_damaged_frames_are_counted_and_the_rest_is_read(tmp_path, suffix, encoder, whole):
    path = tmp_path / f"x.{suffix}"
    encode(path, [grey(20 + 8 * index) for index in range(30)], encoder=encoder)
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    content = bytearray(path.read_bytes())
    for position, size in packets[14:16]:
        content[position + 10 : position + size] = bytes(size - 10)
    path.write_bytes(content)
    found, video = frames_of(path)
    assert video.damaged == 2
    assert len(found) == whole  # the decoder of MPEG-4 patches, that of H.264 gives up


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.mp4")
    with pytest.raises(InputError, match="no regular file"), open_video(tmp_path / "x.mp4"):
        pass


def test_what_is_no_video_is_refused(tmp_path):
    for name, content in (("empty.mp4", b""), ("text.mp4", b"no video " * 100)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name} can't be read as a video"):
            frames_of(tmp_path / name)
    with av.open(str(tmp_path / "sound.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(InputError, match="holds no video stream"):
        frames_of(tmp_path / "sound.mkv")


def test_without_pyav_one_line_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"pip install 'eacnet\[video\]'"):
        frames_of(tmp_path / "x.mp4")
