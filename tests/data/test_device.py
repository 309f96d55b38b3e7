import numpy as np
import pytest
import torch
from PIL import Image

from eacnet.config.recipe import Photometric
from eacnet.data.device import DeviceLoader, lives_on_device
from eacnet.data.frames import Frames
from eacnet.data.samples import Augmentation, Batches, Samples, make_loader
from eacnet.data.store import Split
from eacnet.errors import InputError

CPU = torch.device("cpu")
COLOURS = Photometric(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.05)


def samples(scales: tuple[float, ...], crop=(36, 48), photometric=None) -> Samples:
    """Six frames of 48x64 in two splits: smooth ones and noise."""
    random = np.random.default_rng(0)
    small = random.integers(256, size=(3, 6, 8, 3), dtype=np.uint8)
    smooth = [np.asarray(Image.fromarray(i).resize((64, 48), Image.BILINEAR)) for i in small]
    noise = random.integers(256, size=(3, 48, 64, 3), dtype=np.uint8)
    labels = random.integers(5, size=(6, 48, 64), dtype=np.uint8)
    splits = [Split(np.stack(smooth), labels[:3], list("abc")), Split(noise, labels[3:], list("d"))]
    return Samples(splits, Augmentation(crop, scales, (90, 100, 110), photometric), seed=5)


def epochs(drawn: Samples, batch: int = 3, count: int = 4):
    """Yield matching batches of both ways."""
    batches = Batches(len(drawn), batch, drawn.seed)
    host = make_loader(drawn, batches, 0, pin=False)
    device = DeviceLoader(drawn, batches, CPU)
    assert len(device) == len(host)
    for batches.epoch in range(count):
        yield from zip(host, device, strict=True)


@pytest.mark.parametrize(
    ("scales", "crop"),
    [
        ((1.0,), (36, 48)),
        ((1.25, 1.5, 2.0), (36, 48)),
        ((0.75, 1.0, 1.75), (30, 40)),
        ((0.5, 0.75), (36, 48)),  # the crop is larger than the scaled frame: padding
        ((0.6, 3.0), (20, 28)),
    ],
)
def test_crops_are_those_of_the_host(scales, crop):
    padded = False
    for (pixels, classes), (ours, labels) in epochs(samples(scales, crop)):
        assert ours.dtype == labels.dtype == torch.uint8
        assert torch.equal(labels, classes)
        assert (ours.int() - pixels.int()).abs().max() <= (0 if scales == (1.0,) else 1)
        padded |= bool((classes == 255).any())
    assert padded == (scales == (0.5, 0.75))


def test_colors_are_changed_as_on_the_host():
    plain = samples((0.5, 1.0, 1.5))
    moved = 0
    for (pixels, classes), (ours, labels) in epochs(samples((0.5, 1.0, 1.5), photometric=COLOURS)):
        assert torch.equal(labels, classes)
        # The change of colors magnifies the one grey level that the host and the device differ by.
        assert (ours.int() - pixels.int()).abs().max() <= 6
        assert (pixels[classes == 255] == torch.tensor([90, 100, 110])).all()
        moved += 1
    first = next(iter(epochs(plain)))[0][0]
    again = next(iter(epochs(samples((0.5, 1.0, 1.5), photometric=COLOURS))))[0][0]
    assert moved
    assert (first.int() - again.int()).abs().max() > 10


def test_one_split_alone_is_cut_as_well():
    drawn = samples((1.0,))
    drawn = Samples(drawn.splits[:1], drawn.how, drawn.seed)
    for (pixels, classes), (ours, labels) in epochs(drawn, count=1):
        assert torch.equal(ours, pixels)
        assert torch.equal(labels, classes)


def test_every_process_draws_its_share_of_the_batch():
    drawn = samples((1.0, 1.5))
    whole = next(iter(DeviceLoader(drawn, Batches(6, 4, 5), CPU)))[0]
    shares = [next(iter(DeviceLoader(drawn, Batches(6, 4, 5, r, 2), CPU)))[0] for r in (0, 1)]
    assert torch.equal(whole[0::2], shares[0])
    assert torch.equal(whole[1::2], shares[1])


def test_frames_go_to_a_gpu_with_room_for_them(monkeypatch):
    drawn = samples((1.0,))
    gpu = torch.device("cuda")
    size = 6 * 48 * 64 * 4
    for free, fits in ((size, False), (3 * size, True)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free, free))
        assert lives_on_device(drawn, gpu, "auto") is fits
        assert not lives_on_device(drawn, gpu, "host")
    assert not lives_on_device(drawn, CPU, "auto")
    assert lives_on_device(drawn, CPU, "device")


def test_frames_of_several_sizes_stay_on_the_host(monkeypatch):
    sizes = np.array([[48, 64], [64, 48]])
    flat = np.zeros((2 * 48 * 64, 3), np.uint8)
    split = Split(Frames(flat, sizes), Frames(flat[:, 0], sizes), list("ab"))
    drawn = Samples([split], Augmentation((36, 48), (1.0,), (0, 0, 0)), seed=1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2**40, 2**40))
    assert not lives_on_device(drawn, torch.device("cuda"), "auto")
    with pytest.raises(InputError, match=r"hardware.data is 'device', but .* several sizes"):
        lives_on_device(drawn, CPU, "device")
