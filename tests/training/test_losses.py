import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from eacnet.config.recipe import Loss
from eacnet.errors import InputError
from eacnet.training.losses import class_weights, make_loss

FREQUENCIES = [0.5, 0.3, 0.15, 0.05]


def batch(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    logits = random.standard_normal((2, 4, 8, 8)) * 3
    labels = random.integers(5, size=(2, 8, 8))
    labels[labels == 4] = 255
    return logits, labels


def written_out(logits, labels, weights, kept=None) -> float:
    """Weighted cross-entropy pixel by pixel, in float64."""
    scores = np.moveaxis(log_softmax(logits, axis=1), 1, -1)
    total = share = 0.0
    for index in np.ndindex(labels.shape):
        if labels[index] == 255 or (kept is not None and not kept[index]):
            continue
        weight = weights[labels[index]]
        total -= weight * scores[index][labels[index]]
        share += weight
    return total / share


def loss_of(how: dict, logits, labels, frequencies=FREQUENCIES) -> float:
    loss = make_loss(Loss(**how), frequencies)
    return loss(torch.tensor(logits), torch.tensor(labels)).item()


@pytest.mark.parametrize("weights", ["none", "log", [1.0, 2.0, 0.5, 4.0]])
def test_cross_entropy_equals_the_written_out_sum(weights):
    logits, labels = batch()
    if weights == "none":
        expected = [1.0] * 4
    elif weights == "log":
        expected = [1 / np.log(1.10 + f) for f in FREQUENCIES]
    else:
        expected = weights
    how = {"name": "cross_entropy", "class_weights": weights}
    if weights != "none":
        logits = logits.astype(np.float32)
    assert loss_of(how, logits, labels) == pytest.approx(
        written_out(logits, labels, expected), rel=1e-5
    )


def test_smoothed_labels_are_pytorchs():
    logits, labels = batch()
    how = {"name": "cross_entropy", "class_weights": [1.0, 2.0, 0.5, 4.0], "label_smoothing": 0.1}
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits, dtype=torch.float32),
        torch.tensor(labels),
        torch.tensor(how["class_weights"]),
        ignore_index=255,
        label_smoothing=0.1,
    )
    assert loss_of(how, logits.astype(np.float32), labels) == pytest.approx(
        expected.item(), rel=1e-5
    )


@pytest.mark.parametrize(("threshold", "keep"), [(0.7, 0.0625), (0.3, 0.0625), (0.01, 0.5)])
def test_ohem_keeps_the_published_pixels(threshold, keep):
    """Sort the true classes' probabilities, keep all up to the larger of threshold and k-th."""
    logits, labels = batch(1)
    probability = np.exp(np.moveaxis(log_softmax(logits, axis=1), 1, -1))
    valid = labels != 255
    true = np.where(valid, np.take_along_axis(probability, (labels % 4)[..., None], -1)[..., 0], 9)
    kth = np.sort(true[valid])[int(keep * labels.size) - 1]
    kept = valid & (true <= max(threshold, kth))
    assert 0 < kept.sum() < valid.sum()
    how = {"name": "ohem", "threshold": threshold, "keep": keep, "class_weights": "none"}
    assert loss_of(how, logits, labels) == pytest.approx(
        written_out(logits, labels, [1.0] * 4, kept), rel=1e-6
    )


def test_ohem_with_few_labelled_pixels_keeps_them_all():
    logits, labels = batch(2)
    labels[:] = 255
    labels[0, 0, :3] = [0, 1, 2]
    how = {"name": "ohem", "threshold": 0.01, "keep": 0.5, "class_weights": "none"}
    assert loss_of(how, logits, labels) == pytest.approx(
        written_out(logits, labels, [1.0] * 4), rel=1e-6
    )


@pytest.mark.parametrize("name", ["cross_entropy", "ohem"])
def test_a_batch_without_labels_costs_nothing_and_moves_nothing(name):
    logits, labels = batch()
    labels[:] = 255
    scores = torch.tensor(logits, requires_grad=True)
    loss = make_loss(Loss(name=name, class_weights="none"), FREQUENCIES)(
        scores, torch.tensor(labels)
    )
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(scores.grad, torch.zeros_like(scores))


@pytest.mark.parametrize("name", ["cross_entropy", "ohem"])
def test_gradients_are_those_of_the_loss(name):
    logits, labels = batch()
    loss = make_loss(Loss(name=name, class_weights="none"), FREQUENCIES)
    scores = torch.tensor(logits[:, :, :3, :3], requires_grad=True)
    truth = torch.tensor(labels[:, :3, :3])
    assert torch.autograd.gradcheck(lambda x: loss(x, truth), scores)


def test_a_wrong_number_of_weights_is_refused():
    with pytest.raises(InputError, match="lists 2 weights; the data has 4 classes"):
        class_weights([1.0, 2.0], FREQUENCIES)
