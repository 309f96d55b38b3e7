"""A video is what its file holds; its name is never an address, a pattern or a protocol."""

import shutil
from fractions import Fraction

import av
import numpy as np
import pytest

from eacnet.errors import InputError
from eacnet.predict.video import open_video, writing_video


def save(path, grey, frames=3):
    with path.open("wb") as file, av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for _ in range(frames):
            pixels = np.full((48, 64, 3), grey, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


@pytest.mark.parametrize(
    "name",
    [
        *("12:30 drive.mp4", "file:other.mp4", "http:x.mp4", "concat:other.mp4|other.mp4"),
        *("a%03d.mp4", "-x.mp4", "[a]*.mp4", "a\nb.mp4", "pipe:0", "caf\udce9.mp4", "a%03d.gif"),
    ],
)
def test_a_name_is_a_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "other.mp4", 20)
    save(tmp_path / name, 200)
    with open_video(tmp_path.joinpath(name).relative_to(tmp_path)) as video:
        seen = [frame.pixels.mean() for frame in video]
        with writing_video(tmp_path / f"out {name}.mp4", video) as writer:
            writer.write(np.full((48, 64, 3), 90, np.uint8), Fraction(0))
    assert seen == pytest.approx([200] * 3, abs=3)
    with open_video(tmp_path / f"out {name}.mp4") as written:
        assert [frame.pixels.mean() for frame in written] == pytest.approx([90], abs=3)


def test_a_playlist_opens_no_other_file(tmp_path):
    save(tmp_path / "other.mp4", 20)
    lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", "other.mp4", "#EXT-X-ENDLIST")
    shutil.copy(tmp_path / "other.mp4", tmp_path / "other.ts")
    for name, content in {
        "a.mp4": "\n".join(lines),
        "b.mp4": f"ffconcat version 1.0\nfile {tmp_path}/other.mp4\n",
    }.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=name), open_video(tmp_path / name) as video:
            list(video)
