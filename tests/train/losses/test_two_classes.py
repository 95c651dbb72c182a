"""By hand, on pictures of two pixels."""

import pytest
import torch

from train.losses.two_classes import shape_disagreement, two_class_dice

ONE = torch.ones(1, 1, 2)


def logit(*probabilities: float) -> torch.Tensor:
    return torch.logit(torch.tensor([[list(probabilities)]]))


def test_dice_is_a_mean_over_fold_and_background() -> None:
    # The first is fold: fold 2·.8 / (.64 + .16 + 1), rest 2·.6 / (.04 + .36 + 1).
    found = two_class_dice(logit(0.8, 0.4), torch.tensor([[[1.0, 0.0]]]), ONE)
    assert found.item() == pytest.approx(1 - (1.6 / 1.8 + 1.2 / 1.4) / 2, abs=1e-5)


def test_dice_is_taken_over_the_whole_batch() -> None:
    logits = torch.cat([logit(0.8, 0.4), logit(0.5, 0.5)])
    target = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]]])
    fold, rest = 2 * 0.8 / (0.8 + 0.5 + 1), 2 * (0.6 + 1) / (0.4 + 0.5 + 3)
    assert two_class_dice(logits, target, torch.ones(2, 1, 2)).item() == pytest.approx(
        1 - (fold + rest) / 2, abs=1e-5
    )


def test_what_does_not_count_changes_no_dice() -> None:
    weight = torch.tensor([[[1.0, 0.0]]])
    target = torch.tensor([[[1.0, 0.0]]])
    one, other = (two_class_dice(logit(0.8, p), target, weight) for p in (0.1, 0.9))
    assert one.item() == pytest.approx(other.item())


def test_unsure_masks_that_agree_do_not_disagree() -> None:
    half = torch.full((1, 1, 2), 0.5)
    assert shape_disagreement(half, half, ONE).item() == pytest.approx(0, abs=1e-4)


def test_masks_that_share_nothing_disagree_wholly() -> None:
    one, other = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]]])
    assert shape_disagreement(one, other, ONE).item() == pytest.approx(1, abs=1e-4)


def test_disagreement_by_hand() -> None:
    # Σpq = .5, Σp² + Σq² - Σpq = 1 + .25 - .5.
    one, other = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.5, 0.0]]])
    assert shape_disagreement(one, other, ONE).item() == pytest.approx(1 - 0.5 / 0.75, abs=1e-4)


def test_pictures_without_a_pixel_that_counts_do_not_count() -> None:
    one = torch.tensor([[[1.0, 0.0]], [[1.0, 1.0]]])
    other = torch.tensor([[[0.5, 0.0]], [[0.0, 0.0]]])
    weight = torch.tensor([[[1.0, 1.0]], [[0.0, 0.0]]])
    assert shape_disagreement(one, other, weight).item() == pytest.approx(1 / 3, abs=1e-4)
