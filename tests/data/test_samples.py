import numpy as np
import pytest
import torch
from PIL import Image

from eacnet.data.frames import Frames
from eacnet.data.samples import (
    Augmentation,
    Batches,
    Samples,
    check_crop,
    draw,
    draw_sample,
    make_loader,
)
from eacnet.data.store import Split
from eacnet.errors import InputError

FILL = (10, 20, 30)


class Fixed:
    """A source of randomness that answers as told: scale, flip, row, column."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)

    def integers(self, high: int) -> int:
        answer = self.answers.pop(0)
        assert 0 <= answer < high
        return answer


@pytest.fixture
def frame() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    coarse = random.integers(256, size=(6, 8, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(coarse).resize((80, 60), Image.Resampling.BILINEAR))
    return image, random.integers(5, size=(60, 80), dtype=np.uint8)


def test_without_scaling_a_sample_is_the_crop_itself(frame):
    image, labels = frame
    how = Augmentation((20, 30), (1.0,), FILL)
    for flip in (0, 1):
        pixels, classes = draw_sample(image, labels, how, Fixed(0, flip, 7, 11))
        step = -1 if flip else 1
        assert np.array_equal(pixels.numpy(), image[7:27, 11:41][:, ::step])
        assert np.array_equal(classes.numpy(), labels[7:27, 11:41][:, ::step])


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.5, 2.0])
def test_scaling_the_footprint_equals_scaling_the_whole_frame(frame, scale):
    """Pillow scales the whole frame; away from the crop's rim both are the same pixels."""
    image, labels = frame
    how = Augmentation((24, 24), (scale,), FILL)
    row, column = 8, 12
    pixels, classes = draw_sample(image, labels, how, Fixed(0, 0, row, column))
    whole = Image.fromarray(image).resize(
        (round(80 * scale), round(60 * scale)), Image.Resampling.BILINEAR
    )
    top, left = round(row * scale), round(column * scale)
    expected = np.asarray(whole)[top : top + 24, left : left + 24].astype(int)
    rim = slice(4, -4)
    assert np.abs(pixels.numpy().astype(int) - expected)[rim, rim].max() <= 1
    centres = [(np.arange(24) + 0.5) / scale + start for start in (row, column)]
    nearest = labels[np.ix_(*(c.astype(int) for c in centres))]
    assert np.array_equal(classes.numpy(), nearest)


def test_a_small_frame_is_padded_with_the_mean_and_ignored_labels(frame):
    image, labels = frame
    how = Augmentation((60, 80), (0.5,), FILL)
    pixels, classes = draw_sample(image, labels, how, Fixed(0, 0, 0, 0))
    assert pixels.shape == (60, 80, 3)
    assert (classes[:30, :40] < 5).all()
    outside = torch.ones(60, 80, dtype=torch.bool)
    outside[:30, :40] = False
    assert (classes[outside] == 255).all()
    assert (pixels[outside] == torch.tensor(FILL, dtype=torch.uint8)).all()


def test_a_frame_of_one_row_keeps_it(frame):
    image, labels = frame
    how = Augmentation((60, 80), (0.5,), FILL)
    _, classes = draw_sample(image[:1], labels[:1], how, Fixed(0, 0, 0, 0))
    assert (classes[0, :40] < 5).all()
    assert (classes[1:] == 255).all()


def test_every_place_of_the_crop_and_every_scale_is_drawn():
    random = np.random.default_rng(0)
    how = Augmentation((20, 30), (1.0, 2.0), FILL)
    drawn = [draw((22, 33), how, random) for _ in range(2000)]
    # Offsets from the first to the last: the frame's side less the crop's footprint in it.
    for footprint, last in (((20, 30), (2, 3)), ((10, 15), (12, 18))):
        for axis in (0, 1):
            spans = [x.spans[axis] for x in drawn]
            starts = {s.start for s in spans if s.stop - s.start == footprint[axis]}
            assert starts == set(range(last[axis] + 1))
    assert {x.flip for x in drawn} == {False, True}


def test_only_the_footprint_is_read(frame):
    image, labels = frame

    class Watched(np.ndarray):
        def __getitem__(self, key):
            got = super().__getitem__(key)
            read.append(got.size)
            return got

    read: list[int] = []
    how = Augmentation((20, 30), (2.0,), FILL)
    draw_sample(image.view(Watched), labels.view(Watched), how, np.random.default_rng(0))
    assert read == [10 * 15 * 3, 10 * 15]


def splits(frame) -> list[Split]:
    image, labels = frame
    images = np.stack([np.roll(image, i, axis=0) for i in range(6)])
    maps = np.stack([np.roll(labels, i, axis=0) for i in range(6)])
    return [Split(images[:4], maps[:4], list("abcd")), Split(images[4:], maps[4:], list("ef"))]


def epoch_of(frame, workers: int, epoch: int, seed: int = 3) -> torch.Tensor:
    samples = Samples(splits(frame), Augmentation((20, 30), (0.75, 1.0, 1.5), FILL), seed)
    batches = Batches(len(samples), 2, seed)
    batches.epoch = epoch
    return torch.cat([images for images, _ in make_loader(samples, batches, workers, pin=False)])


def test_samples_depend_on_seed_and_epoch_but_not_on_workers(frame):
    base = epoch_of(frame, 0, 1)
    assert torch.equal(base, epoch_of(frame, 0, 1))
    assert torch.equal(base, epoch_of(frame, 2, 1))
    assert not torch.equal(base, epoch_of(frame, 0, 2))
    assert not torch.equal(base, epoch_of(frame, 0, 1, seed=4))


def test_every_frame_is_drawn_once_an_epoch():
    batches = Batches(10, 3, seed=0)
    frames = [frame for batch in batches for _, frame in batch]
    assert len(batches) == 3
    assert len(frames) == len(set(frames)) == 9


def test_processes_share_a_batch_out_between_them():
    whole = list(Batches(8, 4, seed=5))
    shares = [list(Batches(8, 4, seed=5, rank=rank, world=2)) for rank in range(2)]
    for batch, first, second in zip(whole, *shares, strict=True):
        assert sorted(batch) == sorted(first + second)
        assert len(first) == len(second) == 2


@pytest.mark.parametrize(
    ("batch", "world", "expected"),
    [(9, 1, "batch is 9, but there are 8 frames"), (4, 3, "3 processes can't share out evenly")],
)
def test_a_batch_that_does_not_fit_is_refused(batch, world, expected):
    with pytest.raises(InputError, match=expected):
        Batches(8, batch, seed=0, world=world)


def test_a_crop_larger_than_any_frame_allows_is_refused():
    check_crop((720, 960), (1.0, 2.0), np.array([[360, 480]]))
    with pytest.raises(InputError, match=r"crop is 721x960, but frames of 360x480 at scale 2\.0"):
        check_crop((721, 960), (1.0, 2.0), np.array([[360, 480]]))


def test_frames_of_several_sizes_are_cut_as_alone():
    random = np.random.default_rng(0)
    sizes = np.array([[20, 30], [41, 9], [20, 30], [64, 64]])
    pixels = int(sizes.prod(1).sum())
    images = random.integers(256, size=(pixels, 3), dtype=np.uint8)
    labels = random.integers(5, size=pixels, dtype=np.uint8)
    split = Split(Frames(images, sizes), Frames(labels, sizes), list("abcd"))
    how = Augmentation((16, 24), (0.75, 1.5), (1, 2, 3))
    mixed = Samples([split], how, seed=3)
    for frame in range(4):
        alone = split.images[frame], split.labels[frame]
        for epoch in range(3):
            expected = draw_sample(*alone, how, np.random.default_rng([3, epoch, frame]))
            for ours, theirs in zip(mixed[epoch, frame], expected, strict=True):
                assert torch.equal(ours, theirs)
    check_crop((96, 96), (1.0, 1.5), split.sizes)
    with pytest.raises(InputError, match=r"crop is 97x20, but frames of 64x64 at scale 1.5 allow"):
        check_crop((97, 20), (1.0, 1.5), split.sizes)
    with pytest.raises(InputError, match="crop is 61x46"):
        check_crop((61, 46), (1.5,), split.sizes[:3])
