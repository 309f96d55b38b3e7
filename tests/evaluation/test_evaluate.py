import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from eacnet.data.frames import Frames
from eacnet.errors import InputError
from eacnet.evaluation.evaluate import evaluate, predict, predict_scores, quick_miou
from eacnet.evaluation.scores import mean_iou

CLASSES, SIZE, MEAN = 4, (48, 64), (100.0, 110.0, 120.0)


class FakeNetwork(nn.Module):
    """Scores a pixel by the channel sums of its 8x8 cell; the calibration shifts the classes."""

    num_classes = CLASSES
    stride = 8

    def __init__(self, calibration_name="pooled"):
        super().__init__()
        self.calibration_name = calibration_name
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(CLASSES, 3, 1, 1, generator=generator))
        self.norm = nn.BatchNorm2d(CLASSES)

    def scores(self, images):
        coarse = self.norm(F.conv2d(F.avg_pool2d(images, 8), self.weight))
        if self.calibration_name == "none":
            return coarse, coarse
        return coarse, coarse + 20 * coarse.roll(1, 1).relu()


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 6, 8, 3)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    labels = rng.integers(0, CLASSES, (5, 6, 8)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    labels[:, :4] = 255
    return images, labels


def counts_of(model, split, **changes):
    options = {"num_classes": CLASSES, "mean": MEAN, "device": "cpu", "progress": False}
    return evaluate(model, *split, **{**options, **changes})


def predicted_alone(model, image):
    """One image, straight through the network: coarse and calibrated classes."""
    inputs = torch.from_numpy(image.astype(np.float32) - np.array(MEAN, np.float32))
    with torch.no_grad():
        both = model.eval().scores(inputs.permute(2, 0, 1)[None])
    full = [F.interpolate(scores, SIZE, mode="bilinear", align_corners=False) for scores in both]
    return [scores.argmax(1)[0].numpy() for scores in full]


def matrix(prediction, truth):
    valid = truth != 255
    return np.histogram2d(truth[valid], prediction[valid], bins=range(CLASSES + 1))[0]


def test_counts_are_those_of_each_image_alone(split):
    model = FakeNetwork()
    counts = counts_of(model, split, batch=2)
    for i, (image, truth) in enumerate(zip(*split, strict=True)):
        coarse, calibrated = predicted_alone(model, image)
        assert (coarse != calibrated).any()
        np.testing.assert_array_equal(counts.confusion[i], matrix(calibrated, truth))
        np.testing.assert_array_equal(counts.coarse_confusion[i], matrix(coarse, truth))
        valid = truth != 255
        corrected = (coarse != truth) & (calibrated == truth) & valid
        assert counts.effect[i, :, 0].sum() == valid.sum()
        assert counts.effect[i, :, 1].sum() == ((coarse != calibrated) & valid).sum()
        assert counts.effect[i, :, 2].sum() == corrected.sum()


def test_all_counts_agree_with_one_another(split):
    counts = counts_of(FakeNetwork(), split)
    assert (np.diff(counts.bands, axis=1) >= 0).all()
    assert (counts.bands[:, -1] <= counts.confusion).all()
    hits = np.trace(counts.confusion, axis1=1, axis2=2)
    coarse_hits = np.trace(counts.coarse_confusion, axis1=1, axis2=2)
    corrected, broken = counts.effect[:, :, 2].sum(1), counts.effect[:, :, 3].sum(1)
    np.testing.assert_array_equal(hits - coarse_hits, corrected - broken)
    # the same within 5 pixels of an edge
    inside = counts.effect[:, 0]
    np.testing.assert_array_equal(counts.bands[:, 1].sum((1, 2)), inside[:, 0])
    band_hits = np.trace(counts.bands[:, 1] - counts.coarse_bands[:, 1], axis1=1, axis2=2)
    np.testing.assert_array_equal(band_hits, inside[:, 2] - inside[:, 3])


def test_bands_are_counted_around_the_edges_of_the_truth(split):
    images, labels = split[0][:1], np.zeros((1, *SIZE), np.uint8)
    labels[:, :, 32:] = 1
    counts = counts_of(FakeNetwork(), (images, labels))
    assert counts.bands.sum((0, 2, 3)).tolist() == [48 * 8, 48 * 12, 48 * 20]


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_batches_add_up(split, batch):
    whole, parts = (counts_of(FakeNetwork(), split, batch=size) for size in (5, batch))
    for name, array in vars(whole).items():
        assert array.dtype == np.int64
        np.testing.assert_array_equal(getattr(parts, name), array)


class ShortOfMemory(FakeNetwork):
    """Holds so many frames at a time, and says so in the words of one library or another."""

    def __init__(self, frames, error):
        super().__init__()
        self.frames, self.error, self.passes = frames, error, []

    def scores(self, images):
        self.passes.append(len(images))
        if len(images) > self.frames:
            raise self.error
        return super().scores(images)


ERRORS = [
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    MemoryError("Unable to allocate 2 GiB"),
]


@pytest.mark.parametrize("error", ERRORS, ids=["cpu", "cuda", "numpy"])
def test_a_batch_that_memory_does_not_hold_is_halved(split, error):
    model = ShortOfMemory(1, error)
    counts = counts_of(model, split)
    assert model.passes == [5, 4, 2, 1, 1, 1, 1, 1]
    for name, array in vars(counts_of(FakeNetwork(), split)).items():
        np.testing.assert_array_equal(getattr(counts, name), array)
    with pytest.raises(InputError, match="single frame of 48x64; close other"):
        counts_of(ShortOfMemory(0, error), split)


def test_other_errors_of_a_network_stay_what_they_are(split):
    model = ShortOfMemory(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        counts_of(model, split)
    assert model.passes == [5]


def test_large_frames_go_one_by_one():
    model = ShortOfMemory(1, RuntimeError("not asked for more than one"))
    images = np.zeros((2, 1024, 2048, 3), np.uint8)
    assert len(list(predict_scores(model, images, mean=MEAN, device="cpu"))) == 2


def test_without_calibration_there_is_no_coarse_prediction(split):
    counts = counts_of(FakeNetwork("none"), split)
    assert counts.effect is counts.coarse_confusion is counts.coarse_bands is None
    coarse, calibrated = next(
        predict(FakeNetwork("none"), split[0], mean=MEAN, device="cpu", batch=1)
    )
    assert coarse is calibrated


def test_the_network_is_left_as_it_was(split):
    model = FakeNetwork().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    counts_of(model, split)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_progress_can_be_shown_and_hidden(split, capsys):
    counts_of(FakeNetwork(), split)
    assert capsys.readouterr().err == ""
    counts_of(FakeNetwork(), split, progress=True)
    assert "5/5" in capsys.readouterr().err


def test_bad_input_is_one_line(split):
    images, labels = split
    with pytest.raises(InputError, match="predicts 4 classes, the data has 7: wrong model file"):
        counts_of(FakeNetwork(), split, num_classes=7)
    with pytest.raises(InputError, match="do not match"):
        counts_of(FakeNetwork(), (images, labels[:3]))
    with pytest.raises(InputError, match="all pixels of the 5 label maps are ignored"):
        counts_of(FakeNetwork(), (images, np.full_like(labels, 255)))
    with pytest.raises(InputError, match="hold class 9"):
        counts_of(FakeNetwork(), (images, np.full_like(labels, 9)))
    broken = FakeNetwork()
    broken.weight.data[0] = float("nan")
    with pytest.raises(InputError, match="not finite"):
        counts_of(broken, split)


def test_frames_of_several_sizes_are_scored_at_their_own(split):
    images, labels = split
    shapes = [(48, 64), (48, 64), (32, 64), (48, 40), (48, 64)]
    pairs = [(images[i, :h, :w], labels[i, :h, :w]) for i, (h, w) in enumerate(shapes)]
    sizes = np.array(shapes)
    mixed = [
        Frames(np.concatenate([pair[k].reshape(-1, *pair[k].shape[2:]) for pair in pairs]), sizes)
        for k in (0, 1)
    ]
    model = FakeNetwork()
    found = counts_of(model, mixed, batch=2)
    alone = [counts_of(model, (image[None], truth[None])) for image, truth in pairs]
    for name, values in vars(found).items():
        np.testing.assert_array_equal(values, np.concatenate([getattr(x, name) for x in alone]))
    assert quick_miou(model, *mixed, mean=MEAN, device="cpu") == pytest.approx(
        100 * float(mean_iou(found.confusion.sum(0)))
    )
