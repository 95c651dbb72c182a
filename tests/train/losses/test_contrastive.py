import math

import pytest
import torch

from train.losses.contrastive import patch_nce

EYE = torch.eye(2)[None]


def test_two_patches_that_are_told_apart() -> None:
    # Each row: own 1, other 0; -log(e / (e + 1)).
    assert patch_nce(EYE, EYE, 1.0).item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_two_patches_that_are_taken_for_each_other() -> None:
    # Own 0, other 1 / 0.5 = 2; log(1 + e²).
    assert patch_nce(EYE, EYE.flip(1), 0.5).item() == pytest.approx(math.log(1 + math.exp(2)))


def test_patches_of_other_pictures_are_no_rivals() -> None:
    twice = EYE.expand(2, -1, -1)
    assert patch_nce(twice, twice, 1.0).item() == pytest.approx(patch_nce(EYE, EYE, 1.0).item())


def test_keys_are_constants() -> None:
    queries, keys = EYE.clone().requires_grad_(), EYE.clone().requires_grad_()
    patch_nce(queries, keys).backward()
    assert queries.grad is not None
    assert keys.grad is None
