import torch

from eacnet.evaluation.effect import calibration_effect


def test_effect_of_a_hand_made_example():
    truth = torch.tensor([[[0, 0, 1, 1, 255, 2]], [[0, 0, 0, 0, 0, 0]]], dtype=torch.uint8)
    coarse = torch.tensor([[[0, 1, 0, 1, 0, 0]], [[0, 0, 0, 1, 1, 1]]])
    calibrated = torch.tensor([[[1, 0, 1, 1, 1, 1]], [[0, 0, 1, 0, 0, 1]]])
    inside = torch.tensor([[[1, 1, 0, 0, 1, 0]], [[1, 1, 1, 1, 0, 0]]]).bool()
    # pixels, changed, corrected, broken
    assert calibration_effect(coarse, calibrated, truth, inside).tolist() == [
        [[2, 2, 1, 1], [3, 2, 1, 0]],
        [[4, 2, 1, 1], [2, 1, 1, 0]],
    ]
